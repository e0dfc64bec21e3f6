/**
 * Read a lockfile of Yarn 4.
 *
 * @param {string} text
 * @returns {{ asked: string[], name: string, version: string, workspace?: string,
 *   dependencies: Record<string, string> }[]} `asked` are the ranges it answers, such as
 *   'react@npm:^19.3.1'; `workspace` is the folder of a package of the project itself
 */
export function readLockfile(text) {
  return text
    .replaceAll('\r\n', '\n')
    .split('\n\n')
    .map(readEntry)
    .filter(Boolean);
}

/**
 * List which versions of each package a lockfile has.
 *
 * @param {string} text
 * @returns {Map<string, string[]>} without the packages of the project itself
 */
export function lockedVersions(text) {
  const versions = new Map();
  for (const { name, version, workspace } of readLockfile(text)) {
    if (workspace !== undefined) continue;
    const known = versions.get(name) ?? [];
    if (!known.includes(version)) versions.set(name, [...known, version]);
  }
  return versions;
}

function readEntry(text) {
  // YAML writes a long key as `? "key"` and `:`.
  const [, key] = /^(?:\? )?"?([^\s#"?].*?)"?:?$/m.exec(text) ?? [];
  const field = (name) =>
    new RegExp(`^ {2}${name}: "?(.+?)"?$`, 'm').exec(text)?.[1];
  const resolution = field('resolution');
  if (!resolution) return undefined;
  const [, name, workspace] =
    /^(@?[^@]+)@(?:workspace:(.+)$)?/.exec(resolution) ?? [];
  return {
    asked: key.split(', '),
    name,
    version: field('version'),
    workspace,
    dependencies: readDependencies(text),
  };
}

function readDependencies(text) {
  const [, block] = /^ {2}dependencies:\n((?: {4}.+\n?)*)/m.exec(text) ?? [];
  const lines = (block ?? '').matchAll(/^ {4}"?([^":]+)"?: "?(.*?)"?$/gm);
  return Object.fromEntries([...lines].map(([, name, range]) => [name, range]));
}
