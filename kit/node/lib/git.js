import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { problem, ROOT } from './project.js';

// What a hook of git has set is for its repository, and not for all that is asked here.
const OF_A_HOOK = [
  'GIT_DIR',
  'GIT_WORK_TREE',
  'GIT_INDEX_FILE',
  'GIT_PREFIX',
  'GIT_OBJECT_DIRECTORY',
  'GIT_ALTERNATE_OBJECT_DIRECTORIES',
  'GIT_COMMON_DIR',
];

/**
 * Ask git something.
 *
 * @param {string[]} args such as ['rev-parse', 'HEAD']
 * @param {object} [options]
 * @param {string} [options.cwd] where; the project's folder, unless given
 * @param {Record<string, string>} [options.env] added to the environment
 * @param {string} [options.input] what it reads
 * @param {boolean} [options.says] whether the user sees why it fails
 * @returns {string | undefined} what it prints, without the last line break; undefined where it
 *   fails
 * @throws {Error} when there is no git on this machine
 */
export function askGit(args, { cwd = ROOT, env, input, says = false } = {}) {
  const { error, status, stdout } = spawnSync('git', args, {
    cwd,
    encoding: 'utf8',
    // A diff of a whole folder is longer than the megabyte that is read otherwise.
    maxBuffer: 2 ** 30,
    input: input ?? '',
    stdio: ['pipe', 'pipe', says ? 'inherit' : 'pipe'],
    windowsHide: true,
    env: { ...withoutThoseOfAHook(), ...env },
  });
  if (error?.code === 'ENOENT') {
    throw problem(
      'This needs git, which is not found. Install it from https://git-scm.com',
    );
  }
  return status === 0 ? stdout.replace(/\r?\n$/, '') : undefined;
}

function withoutThoseOfAHook() {
  const all = Object.entries(process.env);
  return Object.fromEntries(all.filter(([name]) => !OF_A_HOOK.includes(name)));
}

/**
 * Make sure that git can take back whatever a command is about to change.
 *
 * @param {string[]} [besides] files, seen from the project's folder, that do not count
 * @throws {Error} when the project is in no repository, or has changes that are not committed
 */
export function assertAllIsCommitted(besides = []) {
  if (askGit(['rev-parse', '--verify', 'HEAD'], { says: true }) === undefined) {
    throw problem(
      'This changes many files, and git is how you review that or take it back; but git has ' +
        'nothing of this project, for the reason above.\n' +
        'If it is new: git init, git add --all, git commit -m "The starter"',
    );
  }
  const status = askGit([
    '-c',
    'core.quotePath=false',
    'status',
    '--porcelain',
    '--untracked-files=all',
    '--',
    '.',
    ...besides.map((file) => `:(exclude)${file}`),
  ]);
  if (status !== '') {
    throw problem(
      'This changes many files, so that yours must be committed first (or put aside: git stash ' +
        `--include-untracked). What is not committed:\n${status}`,
    );
  }
}

/**
 * Tell the name that git gives to the contents of a folder, committed or not.
 *
 * @param {string} folder seen from the project's folder, such as 'kit'
 * @returns {string | undefined} the id of a tree, whose files git can show from then on;
 *   undefined where the project is in no repository
 */
export function treeOf(folder) {
  const place = fs.mkdtempSync(path.join(os.tmpdir(), 'react-flask-kit-'));
  // An index of its own: what the user has staged stays as it is.
  const env = { GIT_INDEX_FILE: path.join(place, 'index') };
  try {
    const prefix = askGit(['rev-parse', '--show-prefix']);
    // Which files can be run is in there, where the disk does not know.
    askGit(['read-tree', 'HEAD'], { env });
    if (askGit(['add', '--all', '--', folder], { env }) === undefined) {
      return undefined;
    }
    return askGit(['write-tree', `--prefix=${prefix}${folder}/`], { env });
  } finally {
    fs.rmSync(place, { recursive: true, force: true });
  }
}
