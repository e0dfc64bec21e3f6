import path from 'node:path';
import util from 'node:util';
import { parseEnvFile } from './env-file.js';

const MODES = ['.development', '.production', '.test'];
const OF_PAGE =
  /^(REACT_APP_\w+|PORT|HOST|BROWSER(_ARGS)?|HTTPS|SSL_(CRT|KEY)_FILE|PUBLIC_URL|BUILD_PATH|CI|REACT_EDITOR|CHOKIDAR_USEPOLLING|GENERATE_SOURCEMAP|IMAGE_INLINE_SIZE_LIMIT|SASS_PATH)$/;

/**
 * Plan the .env files: what only .env says goes to the three above it, where it counts as much.
 *
 * @param {import('./adopt-files.js').OldProject} old
 * @returns {{ files: Record<string, string>, moved: string[], left: string[] }} texts by file,
 *   and the names in .env
 */
export function planEnv(old) {
  const files = {};
  for (const name of [
    ...MODES,
    '.local',
    ...MODES.map((it) => `${it}.local`),
  ]) {
    const text = old.read(`.env${name}`);
    if (text !== undefined) files[`.env${name}`] = text;
    parseEnvFile(text ?? '', (line) =>
      old.warn('An error here: no NAME=VALUE', `.env${name}:${line}`),
    );
  }
  const base = parseEnvFile(old.read('.env') ?? '');
  const moved = movedNames(base, Object.values(files));
  for (const file of MODES.map((mode) => `.env${mode}`)) {
    const own = parseEnvFile(files[file] ?? '');
    const lines = moved
      .filter((name) => !Object.hasOwn(own, name))
      .map((name) => `${envLine(name, base[name])}\n`);
    if (lines.length > 0) files[file] = lines.join('') + (files[file] ?? '');
  }
  const left = Object.keys(base).filter((name) => !moved.includes(name));
  return { files, moved, left };
}

/** What the page reads, and what that refers to; the rest may be secrets of the API. */
function movedNames(base, texts) {
  const moved = Object.keys(base).filter((name) => OF_PAGE.test(name));
  const open = [...texts, ...moved.map((name) => base[name])];
  for (const text of open) {
    for (const [, name] of text.matchAll(/\$\{?(\w+)/g)) {
      if (!Object.hasOwn(base, name) || moved.includes(name)) continue;
      moved.push(name);
      open.push(base[name]);
    }
  }
  return moved;
}

/** Quote a value in the first way that gives it back. */
function envLine(name, value) {
  const escaped = `"${value.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')}"`;
  const lines = [value, `'${value}'`, escaped].map((it) => `${name}=${it}`);
  return lines.find((line) => parseEnvFile(line)[name] === value) ?? lines[2];
}

// Nothing that runs, or is in our way, may come by "extends".
const CONFIG =
  /^(?!(?:kit|api|node_modules|deploy|\w+\/package|package|biome)\b)(?:[\w-][\w.-]*\/)*[\w-][\w.-]*\.json$/;

/**
 * List tsconfig.json and jsconfig.json, with what they extend in the project.
 *
 * @param {import('./adopt-files.js').OldProject} old
 * @returns {string[]}
 */
export function configFiles(old) {
  const isThere = (name) => old.read(name) !== undefined;
  const found = ['tsconfig.json', 'jsconfig.json'].filter(isThere);
  for (const name of found) {
    const extended = /"extends"\s*:\s*(\[[^\]]*\]|"[^"]*")/.exec(
      old.read(name),
    );
    for (const [, base] of (extended?.[1] ?? '').matchAll(/"(\.[^"]*)"/g)) {
      const place = path.posix.join(path.posix.dirname(name), base);
      const file = [place, `${place}.json`].find(
        (it) => CONFIG.test(it) && isThere(it),
      );
      if (!file) old.warn('"extends": not copied', name, extended.index);
      else if (!found.includes(file)) found.push(file);
    }
  }
  return found;
}

/**
 * Read .browserslistrc as the value of "browserslist" in package.json.
 *
 * @param {string} text
 * @returns {string[] | Record<string, string[]>}
 */
export function parseBrowserslist(text) {
  const sections = { defaults: [] };
  let current = ['defaults'];
  for (const line of text.replace(/#.*/g, '').split(/[\n,]/)) {
    const header = /^\s*\[(.+)\]/.exec(line)?.[1];
    if (header) current = header.trim().split(/\s+/);
    for (const name of current) {
      sections[name] ??= [];
      if (line.trim() && !header) sections[name].push(line.trim());
    }
  }
  const { defaults, ...named } = sections;
  if (Object.keys(named).length === 0) return defaults;
  return defaults.length > 0 ? sections : named;
}

const place = (value) => value.replace(/^<rootDir>\/|^(!)<rootDir>\//, '$1');
const as = (name) => (value) => ({ [name]: value });
const placesAs = (name) => (list) => ({ [name]: [list].flat().map(place) });
const isNot = (glob) => glob.startsWith('!');
const JEST = {
  clearMocks: as('clearMocks'),
  resetMocks: as('mockReset'),
  restoreMocks: as('restoreMocks'),
  testTimeout: as('testTimeout'),
  globalSetup: placesAs('globalSetup'),
  setupFiles: placesAs('setupFiles'),
  setupFilesAfterEnv: placesAs('setupFiles'),
  snapshotSerializers: placesAs('snapshotSerializers'),
  testMatch: placesAs('include'),
  moduleNameMapper: (map) => ({
    alias: Object.entries(map).filter(isOfCode).map(aliasOf),
  }),
  collectCoverageFrom: (globs) => ({
    coverage: {
      include: globs.filter((glob) => !isNot(glob)).map(place),
      exclude: globs.filter(isNot).map((glob) => place(glob).slice(1)),
    },
  }),
  coverageReporters: (reporter) => ({ coverage: { reporter } }),
  coverageThreshold: ({ global, ...files }) => ({
    coverage: { thresholds: { ...global, ...files } },
  }),
};
const UNNEEDED =
  /^(transform|transformIgnorePatterns|testRunner|moduleFileExtensions|displayName|roots)$/;

/** Styles and files have a stand-in already. */
function isOfCode([pattern]) {
  return !/\\\.\(?[\w|?]*(css|less|svg|png|jpg)/.test(pattern);
}

/** Jest replaces the whole name where a part of it matches. */
function aliasOf([pattern, replacement]) {
  const start = pattern.startsWith('^') ? '' : '^.*?';
  const end = pattern.endsWith('$') ? '' : '.*$';
  return {
    find: new RegExp(start + pattern + end),
    replacement: [replacement].flat()[0].replace(/^<rootDir>/, ''),
  };
}

/**
 * Say the old project's "jest" in Vitest's words.
 *
 * @param {Record<string, unknown>} jest
 * @returns {{ test: object, taken: string[], unneeded: string[], left: string[] }} the value of
 *   `test` in vite.config.mjs, and the keys
 */
export function planTests(jest) {
  const result = { test: {}, taken: [], unneeded: [], left: [] };
  for (const [key, value] of Object.entries(jest)) {
    const [[name, option] = []] = Object.entries(inVitest(key, value));
    if (name && !(Array.isArray(option) && option.length === 0)) {
      result.test[name] = merged(result.test[name], option);
      result.taken.push(key);
    } else {
      const isUnneeded = name || UNNEEDED.test(key);
      result[isUnneeded ? 'unneeded' : 'left'].push(key);
    }
  }
  return result;
}

/** Nothing, where the value is not what Jest takes. */
function inVitest(key, value) {
  if (!Object.hasOwn(JEST, key) || value === null) return {};
  try {
    return JEST[key](value);
  } catch {
    return {};
  }
}

function merged(before, option) {
  if (Array.isArray(before)) return [...before, ...option];
  return before ? { ...before, ...option } : option;
}

/**
 * Write options of tests into vite.config.mjs, where that is the starter's own.
 *
 * @param {string} text the file's
 * @param {object} test
 * @returns {{ text: string, lines: string, isThere: boolean }}
 */
export function writeTestOptions(text, test) {
  if (Object.keys(test).length === 0) return { text, lines: '', isThere: true };
  const lines = `test: ${code(test, '  ')},`;
  const written = text.replace(
    '({ plugins: [reactFlask()] })',
    () => `({\n  plugins: [reactFlask()],\n  ${lines}\n})`,
  );
  return { text: written, lines, isThere: written.includes(lines) };
}

/** Write a value as the formatter would. */
function code(value, indent) {
  if (Array.isArray(value)) {
    const isSimple = value.every((it) => typeof it !== 'object');
    const items = value.map((it) => code(it, `${indent}  `));
    return isSimple
      ? `[${items.join(', ')}]`
      : `[\n${items.map((it) => `${indent}  ${it},\n`).join('')}${indent}]`;
  }
  if (Object.getPrototypeOf(Object(value)) !== Object.prototype) {
    return util.inspect(value);
  }
  const lines = Object.entries(value).map(([key, it]) => {
    const name = /^[a-z_]\w*$/i.test(key) ? key : util.inspect(key);
    return `${indent}  ${name}: ${code(it, `${indent}  `)},\n`;
  });
  return `{\n${lines.join('')}${indent}}`;
}
