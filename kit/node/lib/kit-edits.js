import fs from 'node:fs';
import path from 'node:path';
import { askGit, treeOf } from './git.js';
import { ROOT } from './project.js';
import { kitVersion, readStarter } from './starter.js';

/** Files of kit/ that commands may write: nobody has edited them. */
export const GENERATED_FILES = ['kit/python/requirements-test.txt'];

/**
 * Find kit/ as it was released, to compare it with what the project has made of it.
 *
 * @param {string} [history] a git directory that may have the tag of the release
 * @returns {{ base: string, now: string, env?: Record<string, string> } | undefined} two trees
 *   of git, and the environment in which git finds both; undefined where the release is unknown
 */
export function kitAsReleased(history) {
  const env = history && {
    GIT_ALTERNATE_OBJECT_DIRECTORIES: path.join(history, 'objects'),
  };
  const now = treeOf('kit');
  const base =
    releasedTree() ||
    (history && idOfTree(`v${kitVersion()}:kit`, '--git-dir', history));
  return base && now ? { base, now, env } : undefined;
}

/**
 * Find the tree of kit/ as it was released, by the project's record. A tag does not tell: it is
 * the project's own.
 *
 * @returns {string | undefined} its id; undefined where git does not have it
 */
export function releasedTree() {
  const { version, kit } = readStarter();
  return version === kitVersion() && kit
    ? idOfTree(`${kit}^{tree}`)
    : undefined;
}

/**
 * List the files of kit/ that are not as they were released.
 *
 * @param {{ base: string, now: string, env?: Record<string, string> }} trees
 * @returns {string[]} such as 'kit/node/launcher.js'; none that were only deleted, as an update
 *   brings them back
 */
export function editedKitFiles(trees) {
  const names = compare(trees, '--name-only', '-z').split('\0');
  return names.filter(Boolean).map((name) => `kit/${name}`);
}

/**
 * Save the edits of kit/ as a patch, which `git apply` takes in the project's folder.
 *
 * @param {{ base: string, now: string, env?: Record<string, string> }} trees
 * @returns {string} the name of the file; one that is there already is kept
 */
export function saveKitEdits(trees) {
  const name = `kit-edits-${kitVersion()}`;
  let file = `${name}.patch`;
  for (let i = 2; fs.existsSync(path.join(ROOT, file)); i++) {
    file = `${name}-${i}.patch`;
  }
  compare(
    trees,
    '--patch',
    '--binary',
    '--src-prefix=a/kit/',
    '--dst-prefix=b/kit/',
    `--output=${path.join(ROOT, file)}`,
  );
  return file;
}

function idOfTree(name, ...options) {
  return askGit([...options, 'rev-parse', '--verify', '--quiet', name]);
}

function compare({ base, now, env }, ...options) {
  const generated = GENERATED_FILES.map(
    (file) => `:(top,exclude)${path.posix.relative('kit', file)}`,
  );
  return askGit(
    [
      'diff-tree',
      '-r',
      '--no-ext-diff',
      '--no-renames',
      '--diff-filter=d',
      ...options,
      base,
      now,
      '--',
      ':(top)',
      ...generated,
    ],
    { env },
  );
}
