import fs from 'node:fs';
import path from 'node:path';
import { askGit } from './git.js';
import { ROOT } from './project.js';

const NEW = 'kit-new';
const OLD = 'kit-old';
const JOURNAL = 'journal.json';
// Beside kit/, what an update may write.
const FILES = [
  'package.json',
  'pyproject.toml',
  'yarn.lock',
  'api/requirements.txt',
  'api/requirements-dev.txt',
];
// What a folder cannot be renamed for: another program has a file of it open, or another disk.
const COPIED_INSTEAD = ['EACCES', 'EBUSY', 'EPERM', 'EXDEV'];

/**
 * Tell where an update keeps what it may have to restore: in git's own folder, which no watcher
 * and no tool looks at.
 *
 * @returns {string | undefined} an absolute path; undefined where the project is in no repository
 */
export function updateFolder() {
  // A repository may hold several projects.
  const project = askGit(['rev-parse', '--show-prefix']);
  const name = `react-flask-kit/${project}update`;
  const place = askGit(['rev-parse', '--git-path', name]);
  return place && path.resolve(ROOT, place);
}

/**
 * Tell which update is not finished.
 *
 * @returns {{ from: string, to: string, ignored: string[] } | undefined} the two versions;
 *   undefined where there is none
 */
export function unfinishedUpdate() {
  const folder = updateFolder();
  try {
    return JSON.parse(fs.readFileSync(path.join(folder, JOURNAL), 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * Put another kit in the place of kit/, and keep what is needed to take that back.
 *
 * The project is never without a whole kit, but for the moment between two renames.
 *
 * @param {string} kit the folder of the other one
 * @param {object} journal what else to remember, such as the two versions
 */
export function swapKit(kit, journal) {
  const folder = updateFolder();
  const ignored = ignoredFiles();
  // What a preparation that was interrupted has left.
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  for (const file of FILES) copyIfThere(file, ROOT, folder);
  fs.cpSync(kit, path.join(folder, NEW), {
    recursive: true,
    filter: (source) => !isLeftBehind(path.basename(source)),
  });
  fs.writeFileSync(
    path.join(folder, JOURNAL),
    JSON.stringify({ ...journal, ignored }),
  );
  move(path.join(ROOT, 'kit'), path.join(folder, OLD));
  move(path.join(folder, NEW), path.join(ROOT, 'kit'));
  carryOver(ignored, path.join(folder, OLD), path.join(ROOT, 'kit'));
}

/**
 * Tell whether a folder has the kit that the project has.
 *
 * @param {string} folder where its kit/ is
 * @returns {boolean}
 */
export function isSameKit(folder) {
  const [theirs, ours] = [folder, ROOT].map((place) =>
    filesOfKit(path.join(place, 'kit')),
  );
  return (
    theirs.size === ours.size &&
    [...theirs].every(([name, file]) => {
      const own = ours.get(name);
      return own && fs.readFileSync(own).equals(fs.readFileSync(file));
    })
  );
}

function filesOfKit(folder, part = '') {
  const files = fs
    .readdirSync(path.join(folder, part), { withFileTypes: true })
    .filter(({ name }) => !isLeftBehind(name))
    .flatMap((entry) => {
      const name = path.join(part, entry.name);
      return entry.isDirectory()
        ? [...filesOfKit(folder, name)]
        : [[name, path.join(folder, name)]];
    });
  return new Map(files);
}

/** Make the project what it was before the update that is not finished. */
export function takeBackSwap() {
  const folder = updateFolder();
  const { ignored } = unfinishedUpdate();
  const [kit, old] = [path.join(ROOT, 'kit'), path.join(folder, OLD)];
  if (fs.existsSync(old)) {
    carryOver(ignored, kit, old);
    if (fs.existsSync(kit)) move(kit, path.join(folder, 'kit-failed'));
    move(old, kit);
  }
  for (const file of FILES) copyIfThere(file, folder, ROOT);
  forgetSwap();
}

/** Remove what was kept to take the update back. */
export function forgetSwap() {
  const folder = updateFolder();
  // First what makes it count.
  fs.rmSync(path.join(folder, JOURNAL), { force: true });
  fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  try {
    fs.rmdirSync(path.dirname(folder));
  } catch {
    // Another project of the repository has its own there.
  }
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
    .filter((name) => name && !isLeftBehind(path.basename(name), false))
    .map((name) => path.relative('kit', name));
}

function isLeftBehind(name, besidesPackages = true) {
  const packages = ['node_modules', 'venv'];
  return (
    ['.git', '__pycache__', ...(besidesPackages ? packages : [])].includes(
      name,
    ) || /^\..+_cache$|\.egg-info$/.test(name)
  );
}

function carryOver(names, from, to) {
  for (const name of names) {
    const [source, target] = [path.join(from, name), path.join(to, name)];
    if (!fs.existsSync(source) || fs.existsSync(target)) continue;
    fs.mkdirSync(path.dirname(target), { recursive: true });
    move(source, target);
  }
}

function copyIfThere(file, from, to) {
  const [source, target] = [path.join(from, file), path.join(to, file)];
  if (!fs.existsSync(source)) return;
  fs.mkdirSync(path.dirname(target), { recursive: true });
  fs.copyFileSync(source, target);
}

function move(from, to) {
  try {
    fs.renameSync(from, to);
  } catch (error) {
    if (!COPIED_INSTEAD.includes(error.code)) throw error;
    fs.cpSync(from, to, { recursive: true, verbatimSymlinks: true });
    fs.rmSync(from, { recursive: true, force: true, maxRetries: 5 });
  }
}
