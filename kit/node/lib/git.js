import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { problem, ROOT } from './project.js';

/**
 * Ask git something.
 *
 * @param {string[]} args such as ['rev-parse', 'HEAD']
 * @param {object} [options]
 * @param {string} [options.cwd] where; the project's folder, unless given
 * @param {Record<string, string>} [options.env] added to the environment
 * @param {boolean} [options.says] whether the user sees why it fails
 * @returns {string | undefined} what it prints, without the last line break; undefined where it
 *   fails
 * @throws {Error} when there is no git on this machine
 */
export function askGit(args, { cwd = ROOT, env, says = false } = {}) {
  const { error, status, stdout } = spawnSync('git', args, {
    cwd,
    encoding: 'utf8',
    // A diff of a whole folder is longer than the megabyte that is read otherwise.
    maxBuffer: 2 ** 30,
    stdio: ['ignore', 'pipe', says ? 'inherit' : 'pipe'],
    windowsHide: true,
    env: { ...process.env, ...env },
  });
  if (error?.code === 'ENOENT') {
    throw problem(
      'This needs git, which is not found. Install it from https://git-scm.com',
    );
  }
  return status === 0 ? stdout.replace(/\r?\n$/, '') : undefined;
}

/**
 * Make sure that git can take back whatever a command is about to change.
 *
 * @param {string[]} [besides] files, seen from the project's folder, that do not count
 * @throws {Error} when the project is in no repository, or has changes that are not committed
 */
export function assertAllIsCommitted(besides = []) {
  if (askGit(['rev-parse', '--verify', 'HEAD']) === undefined) {
    throw problem(
      'This changes many files, and git is how you review that or take it back; but here is ' +
        'nothing committed.\nRun first: git init, git add --all, git commit -m "The starter"',
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
    if (askGit(['add', '--', folder], { env }) === undefined) return undefined;
    return askGit(['write-tree', `--prefix=${prefix}${folder}/`], { env });
  } finally {
    fs.rmSync(place, { recursive: true, force: true });
  }
}
