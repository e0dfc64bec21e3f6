import { localKit, REQUIREMENTS } from './api.js';
import { readProjectFile } from './project.js';

/**
 * Write the name of a Python package as the index compares it (PEP 503).
 *
 * @param {string} name
 * @returns {string}
 */
export function normalized(name) {
  return name.toLowerCase().replace(/[-_.]+/g, '-');
}

/**
 * Read a list of strings in a pyproject.toml.
 *
 * @param {string} file seen from the project's folder
 * @param {string} table such as 'project'
 * @param {string} key such as 'dependencies'
 * @returns {{ name: string, range: string }[] | undefined} what it asks for, without what is
 *   for some systems only; undefined where there is no such list
 */
export function askedFor(file, table, key) {
  const text = readProjectFile(file) ?? '';
  const tables = text.split(/^(?=\[)/m);
  const own = tables.find((part) => part.startsWith(`[${table}]`));
  const list = new RegExp(
    `^${key}\\s*=\\s*\\[((?:"[^"]*"|'[^']*'|#.*|[^\\]"'#])*)\\]`,
    'm',
  ).exec(own ?? '')?.[1];
  const strings = list
    // Neither comments nor { include-group = "…" }.
    ?.replace(/\{[^}]*\}|("[^"]*"|'[^']*')|#.*/g, '$1')
    .matchAll(/"([^"]*)"|'([^']*)'/g);
  return (
    strings &&
    [...strings].flatMap(([, double, single]) =>
      readRequirement(double ?? single),
    )
  );
}

/**
 * List what pyproject.toml, and that of the kit, ask for.
 *
 * @returns {{ name: string, range: string, file: string, list: string }[] | undefined} `list` is
 *   the file that pins it; undefined where pyproject.toml cannot be read
 */
export function rangesOfApi() {
  const kit = localKit();
  const { app, dev } = REQUIREMENTS;
  const places = [
    ['pyproject.toml', 'project', 'dependencies', app],
    ['pyproject.toml', 'dependency-groups', 'dev', dev],
    ...(kit ? [[`${kit}/pyproject.toml`, 'project', 'dependencies', app]] : []),
  ];
  if (!askedFor(...places[0])) return undefined;
  return places.flatMap(([file, table, key, list]) =>
    (askedFor(file, table, key) ?? [])
      // A folder has no version to be pinned.
      .filter(({ name }) => !kit || name !== 'react-flask-kit')
      .map((one) => ({ ...one, file, list })),
  );
}

/**
 * List what a file of requirements pins.
 *
 * @param {string} text
 * @returns {{ name: string, version: string, isForAll: boolean }[]}
 */
export function pinsIn(text) {
  const lines = text.matchAll(/^([\w.-]+)==([^\s;\\]+)([^\S\n]*;)?/gm);
  return [...lines].map(([, name, version, marker]) => ({
    name: normalized(name),
    version,
    isForAll: !marker,
  }));
}

/** `name[extras] >=1,<2`; one with a marker or an address says nothing that holds everywhere. */
function readRequirement(text) {
  const [, name, range] =
    /^([\w.-]+)\s*(?:\[[^\]]*\])?\s*([^;@]*)$/.exec(text.trim()) ?? [];
  return name
    ? [{ name: normalized(name), range: range.replace(/[()\s]/g, '') }]
    : [];
}
