import path from 'node:path';
import { askGit, treeOf } from './git.js';
import { kitVersion, readStarter } from './starter.js';

/**
 * Find kit/ as it was released, to compare it with what the project has made of it.
 *
 * @param {string} [history] a git directory that may have the tag of the release, beside the
 *   project's own
 * @returns {{ base: string, now: string, env?: Record<string, string> } | undefined} two trees
 *   of git, and the environment in which git finds both; undefined where the release is unknown
 */
export function kitAsReleased(history) {
  const env = history && {
    GIT_ALTERNATE_OBJECT_DIRECTORIES: path.join(history, 'objects'),
  };
  const now = treeOf('kit');
  const base =
    releasedTree(env) ||
    (history && idOfTree(`v${kitVersion()}:kit`, env, '--git-dir', history));
  return base && now ? { base, now, env } : undefined;
}

/**
 * Find the tree of kit/ as it was released, by the project's record or a tag.
 *
 * @param {Record<string, string>} [env] in which git looks for it
 * @returns {string | undefined} its id; undefined where git does not have it
 */
export function releasedTree(env) {
  const version = kitVersion();
  const { version: recorded, kit } = readStarter();
  return (
    (recorded === version && kit && idOfTree(`${kit}^{tree}`, env)) ||
    idOfTree(`v${version}:./kit`, env)
  );
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
 * Write the edits of kit/ as a patch, which `git apply` takes in the project's folder.
 *
 * @param {{ base: string, now: string, env?: Record<string, string> }} trees
 * @returns {string}
 */
export function kitEditsAsPatch(trees) {
  const prefixes = ['--src-prefix=a/kit/', '--dst-prefix=b/kit/'];
  return `${compare(trees, '--binary', ...prefixes)}\n`;
}

function idOfTree(name, env, ...options) {
  return askGit([...options, 'rev-parse', '--verify', '--quiet', name], {
    env,
  });
}

function compare({ base, now, env }, ...options) {
  return askGit(
    [
      'diff-tree',
      '-r',
      '--no-ext-diff',
      '--no-renames',
      '--diff-filter=d',
      ...(options.includes('--binary') ? ['--patch'] : []),
      ...options,
      base,
      now,
    ],
    { env },
  );
}
