import fs from 'node:fs';
import path from 'node:path';
import { askGit } from './git.js';
import { problem, ROOT } from './project.js';
import { kitVersion } from './starter.js';
import { compareReleases } from './versions.js';

const TAG = /^v\d+\.\d+\.\d+$/;

/**
 * A release of the starter, or a folder that somebody takes for one.
 *
 * @typedef {object} Release
 * @property {string} folder where its files are
 * @property {string} version such as '0.3.0'
 * @property {string} [history] a git directory that has the release before by its tag, and this
 *   one's files in its index
 */

/**
 * Tell whether a text is the version of a release, with or without the "v" of its tag.
 *
 * @param {string} text
 * @returns {boolean}
 */
export function isVersion(text) {
  return TAG.test(`v${text.replace(/^v/, '')}`);
}

/**
 * Take a folder for a release, as it is now.
 *
 * @param {string} folder seen from the project's folder
 * @param {object} options
 * @param {string} options.before the version that the project has, whose files are compared
 * @param {string} options.into an empty folder for what is to be compared
 * @returns {Release}
 */
export function releaseInFolder(folder, { before, into }) {
  const place = path.resolve(ROOT, folder);
  const tag = `refs/tags/v${before}`;
  const top = askGit(['rev-parse', '--show-toplevel'], { cwd: place });
  const isStarter = top && fs.realpathSync(top) === fs.realpathSync(place);
  if (!isStarter || !askGit(['rev-parse', '--verify', tag], { cwd: place })) {
    return { folder: place, version: kitVersion(place) };
  }
  const history = path.join(into, 'history');
  const git = historyIn(history, place);
  git(
    'fetch',
    '--quiet',
    '--depth=1',
    '--no-tags',
    '--',
    place,
    `${tag}:${tag}`,
  );
  git('add', '--all');
  return { folder: place, version: kitVersion(place), history };
}

/**
 * Tell whether a folder of this machine holds the starter's files.
 *
 * @param {string} folder seen from the project's folder
 * @returns {boolean}
 */
export function hasKit(folder) {
  return ['kit/node/launcher.js', 'kit/python/pyproject.toml'].every((file) =>
    fs.existsSync(path.resolve(ROOT, folder, file)),
  );
}

/**
 * Bring a release from the starter's repository.
 *
 * @param {string} repository its address
 * @param {object} options
 * @param {string} [options.version] the newest one, unless given
 * @param {string} options.before the version that the project has, whose files are compared
 * @param {string} options.into an empty folder for it
 * @returns {Release}
 * @throws {Error} when the repository cannot be reached, or has no such release
 */
export function fetchRelease(repository, { version, before, into }) {
  const versions = versionsOf(repository);
  const wanted = version ?? versions.at(-1);
  const name = withoutPassword(repository);
  if (versions.length === 0) {
    throw problem(
      `${name} has no release: no tag such as v1.2.3. Clone it, and take what it has now: ` +
        'npm run kit -- update FOLDER',
    );
  }
  if (!versions.includes(wanted)) {
    throw problem(
      `${name} has no release ${wanted}. It has: ${versions.join(', ')}.`,
    );
  }
  const history = path.join(into, 'history');
  const folder = path.join(into, 'files');
  fs.mkdirSync(folder, { recursive: true });
  const tags = [before, wanted]
    .filter((one, i, all) => versions.includes(one) && all.indexOf(one) === i)
    .map((one) => `refs/tags/v${one}:refs/tags/v${one}`);
  const git = historyIn(history, folder);
  git('fetch', '--quiet', '--depth=1', '--no-tags', '--', repository, ...tags);
  git('checkout', '--quiet', `v${wanted}`, '--', '.');
  if (!hasKit(folder)) throw problem(`${name} has no kit/ at v${wanted}.`);
  return {
    folder,
    version: kitVersion(folder),
    ...(versions.includes(before) && { history }),
  };
}

/**
 * Leave a password out of an address.
 *
 * @param {string} repository
 * @returns {string}
 */
export function withoutPassword(repository) {
  return repository.replace(/^([a-z+]+:\/\/)[^/@]*@/i, (all, protocol) =>
    protocol.toLowerCase() === 'ssh://' ? all : protocol,
  );
}

/** Make a repository of releases, and let git work on a folder as on its files. */
function historyIn(history, folder) {
  // No hooks: they are the user's, for own work.
  const git = (...args) => must(['-c', 'core.hooksPath=/dev/null', ...args]);
  git('init', '--quiet', '--bare', history);
  return (...args) => git('--git-dir', history, '--work-tree', folder, ...args);
}

/** The versions that a repository has tags of, oldest first. */
function versionsOf(repository) {
  const listed = askGit(
    ['ls-remote', '--tags', '--refs', '--', repository, 'v*'],
    { says: true },
  );
  if (listed === undefined) {
    throw problem(
      `${withoutPassword(repository)} cannot be read; the reason is above. Nothing was changed.\n` +
        'Is the address right, and is there a network? It is "repository" of "starter" in ' +
        'package.json; a folder of this machine will do too: npm run kit -- update ../starter',
    );
  }
  return listed
    .split('\n')
    .map((line) => line.split('refs/tags/')[1] ?? '')
    .filter((tag) => TAG.test(tag))
    .map((tag) => tag.slice(1))
    .sort(compareReleases);
}

function must(args) {
  if (askGit(args, { says: true }) === undefined) {
    throw problem('git failed; the reason is above. Nothing was changed.');
  }
}
