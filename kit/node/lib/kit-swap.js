import fs from 'node:fs';
import path from 'node:path';
import { askGit } from './git.js';
import { problem, ROOT } from './project.js';

const KIT = path.join(ROOT, 'kit');
// Beside kit/, so that a folder can be renamed into its place; git does not see it.
const STAGE = path.join(ROOT, '.kit-update');
const NEW = path.join(STAGE, 'new');
const OLD = path.join(STAGE, 'old');
// Beside kit/, what an update may write.
const FILES = [
  'package.json',
  'pyproject.toml',
  'yarn.lock',
  'api/requirements.txt',
  'api/requirements-dev.txt',
];
// What is installed or compiled on a machine.
const PACKAGES = ['node_modules', 'venv'];
const CACHES = /^(\.git|__pycache__|\..+_cache|.+\.egg-info)$/;
// As on Windows, where another program has a file of the folder open.
const HELD = ['EACCES', 'EBUSY', 'EPERM', 'EXDEV'];

/**
 * Tell which update is not finished.
 *
 * @returns {object | undefined} what `swapKit` was given, such as the two versions; undefined
 *   where there is none
 */
export function unfinishedUpdate() {
  try {
    return JSON.parse(fs.readFileSync(journalFile(), 'utf8'));
  } catch {
    return undefined;
  }
}

/** In git's own folder, as the project's is not the place for it. */
function journalFile() {
  // A repository may hold several projects.
  const project = askGit(['rev-parse', '--show-prefix']);
  const name = `react-flask-kit/${project}update.json`;
  return path.resolve(ROOT, askGit(['rev-parse', '--git-path', name]));
}

/**
 * Make sure that kit/ can be replaced, and that git will have all of the new one.
 *
 * @param {string} kit the folder of the other kit
 * @throws {Error} that says what is in the way
 */
export function assertKitCanBeReplaced(kit) {
  const isLink = askGit(['ls-files', '--stage', '--', 'kit'])
    .split('\n')
    .some((line) => line.startsWith('160000'));
  if (!fs.lstatSync(KIT).isDirectory() || isLink) {
    throw problem(
      'kit/ is a link, or has another repository in it, so it is not replaced. Make it a folder of this one.',
    );
  }
  const files = filesIn(kit);
  const links = files.filter((name) =>
    fs.lstatSync(path.join(kit, name)).isSymbolicLink(),
  );
  if (links.length > 0) {
    throw problem(
      `A kit has no links, and this one has: ${links.join(', ')}. It is not taken.`,
    );
  }
  const input = files.map((name) => `kit/${name}`).join('\n');
  const matches = askGit(['check-ignore', '--verbose', '--stdin'], { input });
  const ignored = (matches ?? '')
    .split('\n')
    .filter((line) => line && !/^[^\t]*:\d+:!/.test(line));
  if (ignored.length > 0) {
    throw problem(
      `By your .gitignore, git would leave out files of the new kit:\n${ignored.join('\n')}\n` +
        'Write !/kit/** below that line, or narrow it: /lib/ is only the folder at the top.',
    );
  }
}

/**
 * Put another kit in the place of kit/, whose files git has.
 *
 * The project is never without a whole kit, but for the moment between two renames.
 *
 * @param {string} kit the folder of the other one
 * @param {object} journal what to remember until the update is over, such as the two versions
 */
export function swapKit(kit, journal) {
  const ignored = ignoredFiles();
  const before = filesIn(KIT);
  fs.rmSync(STAGE, { recursive: true, force: true });
  fs.mkdirSync(STAGE);
  fs.writeFileSync(path.join(STAGE, '.gitignore'), '*\n');
  for (const name of filesIn(kit)) copy(path.join(kit, name), NEW, name);
  const head = askGit(['rev-parse', 'HEAD']);
  const file = journalFile();
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, JSON.stringify({ ...journal, head, ignored }));
  if (isRenamed(KIT, OLD)) {
    fs.renameSync(NEW, KIT);
    carryOver(ignored);
  } else {
    const now = filesIn(NEW);
    for (const name of now) copy(path.join(NEW, name), KIT, name);
    for (const name of before) {
      if (!now.includes(name)) fs.rmSync(path.join(KIT, name), { force: true });
    }
  }
  fs.rmSync(STAGE, { recursive: true, force: true, maxRetries: 5 });
}

/**
 * Make the project what it was before the update, unless somebody has done that, or has
 * committed since. What was there is put aside, and not deleted.
 *
 * @returns {boolean} whether git's stash has it now
 * @throws {Error} when git refuses
 */
export function takeBackSwap() {
  const { to, head, ignored } = unfinishedUpdate();
  const isOurs =
    askGit(['rev-parse', 'HEAD']) === head &&
    askGit(['status', '--porcelain', '--', 'kit']) !== '';
  if (isOurs) {
    const paths = ['kit', ...FILES].filter(
      (file) =>
        fs.existsSync(path.join(ROOT, file)) ||
        askGit(['ls-files', '--', file]) !== '',
    );
    const stash = ['stash', 'push', '--quiet', '--include-untracked'];
    const message = ['--message', `An update of kit/ to ${to}`];
    const saved = askGit([...stash, ...message, '--', ...paths], {
      says: true,
    });
    if (saved === undefined) {
      throw problem(
        'git could not put aside what the update has done; the reason is above. ' +
          'To take it back by hand: git stash push --include-untracked',
      );
    }
  }
  // What was not carried over yet.
  if (fs.existsSync(OLD) && fs.existsSync(KIT)) carryOver(ignored);
  forgetSwap();
  return isOurs;
}

/** Remove what tells of an update. */
export function forgetSwap() {
  const file = journalFile();
  fs.rmSync(file, { force: true });
  fs.rmSync(STAGE, { recursive: true, force: true, maxRetries: 5 });
  try {
    fs.rmdirSync(path.dirname(file));
  } catch {
    // Another project of the repository has its own there.
  }
}

/**
 * Tell whether a folder has the kit that the project has.
 *
 * @param {string} kit
 * @returns {boolean}
 */
export function isSameKit(kit) {
  const [theirs, ours] = [filesIn(kit), filesIn(KIT)];
  const read = (...place) => fs.readFileSync(path.join(...place));
  return (
    theirs.join('\n') === ours.join('\n') &&
    theirs.every((name) => read(kit, name).equals(read(KIT, name)))
  );
}

/** What belongs to this machine and not to a release, such as packages that are installed. */
function ignoredFiles() {
  const listed = askGit([
    'ls-files',
    '--others',
    '--ignored',
    '--exclude-standard',
    '--directory',
    '-z',
    '--',
    'kit',
  ]);
  return listed
    .split('\0')
    .filter((name) => name && !CACHES.test(path.basename(name)))
    .map((name) => path.relative('kit', name));
}

/** The files of a kit, without what a machine makes of them. */
function filesIn(kit) {
  return fs
    .readdirSync(kit, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(kit, path.join(entry.parentPath, entry.name)))
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) =>
      name
        .split('/')
        .every((part) => !PACKAGES.includes(part) && !CACHES.test(part)),
    )
    .sort();
}

function carryOver(names) {
  for (const name of names) {
    const [source, target] = [path.join(OLD, name), path.join(KIT, name)];
    if (!fs.existsSync(source) || fs.existsSync(target)) continue;
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.renameSync(source, target);
  }
}

function copy(file, folder, name) {
  const target = path.join(folder, name);
  fs.mkdirSync(path.dirname(target), { recursive: true });
  fs.copyFileSync(file, target);
}

function isRenamed(from, to) {
  try {
    fs.renameSync(from, to);
    return true;
  } catch (error) {
    if (HELD.includes(error.code)) return false;
    throw error;
  }
}
