import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { literally, problem, ROOT, readProjectFile } from './project.js';

/** What the old project replaces: the example's page, and the test of it in a browser. */
const REPLACED = ['src', 'public', 'tests/test_site.py'];
const NOBODYS = ['.git', '.DS_Store', '__pycache__'];

/** A create-react-app project, which is read and never written. */
export class OldProject {
  /** @type {Map<string, string[]>} what to look at: the places of each remark */
  warnings = new Map();

  /**
   * @param {string} folder
   * @throws {Error} when it is no such project, or has to do with ours
   */
  constructor(folder) {
    const place = path.resolve(ROOT, folder);
    if (!fs.statSync(place, { throwIfNoEntry: false })?.isDirectory()) {
      throw problem(`There is no folder ${place}.`);
    }
    this.folder = fs.realpathSync(place);
    const ours = fs.realpathSync(ROOT);
    if (isInside(ours, this.folder) || isInside(this.folder, ours)) {
      throw problem(
        `${folder} and this project are in one another. ` +
          'Name the folder of another project, such as ../old-project.',
      );
    }
    const isFile = (pattern) =>
      this.pageFiles.some((file) => pattern.test(file));
    this.manifestText = this.read('package.json');
    this.pageFiles = [...this.list('src'), ...this.list('public')];
    const missing =
      (this.manifestText === undefined && 'package.json') ||
      (!isFile(/^src\/index\.[jt]sx?$/) && 'src/index.js') ||
      (!isFile(/^public\/index\.html$/) && 'public/index.html');
    if (missing) {
      throw problem(
        `${folder} is not a create-react-app project: it has no ${missing}.`,
      );
    }
    try {
      this.package = JSON.parse(this.manifestText);
    } catch (error) {
      throw problem(`package.json in ${folder} is not JSON: ${error.message}`);
    }
    const { dependencies = {}, devDependencies = {} } = this.package ?? {};
    for (const list of [this.package, dependencies, devDependencies]) {
      const isList = list && typeof list === 'object' && !Array.isArray(list);
      const isText = (range) => typeof range === 'string';
      if (
        !isList ||
        (list !== this.package && !Object.values(list).every(isText))
      ) {
        throw problem(
          `package.json in ${folder} is not as npm writes it: dependencies are {"name": "version"}.`,
        );
      }
    }
  }

  /**
   * List the files in a place; links count as what they point to, inside of the project.
   *
   * @param {string} place seen from the project's folder, with slashes
   * @returns {string[]} that file alone, those below that folder, or none
   */
  list(place, above = []) {
    const found = path.join(this.folder, place);
    if (!fs.lstatSync(found, { throwIfNoEntry: false })) return [];
    const real = fs.existsSync(found) && fs.realpathSync(found);
    if (!real || !isInside(this.folder, real)) {
      this.warn('A link that leads out of the project is not followed', place);
      return [];
    }
    const stats = fs.statSync(real);
    if (stats.isFile()) return [place];
    if (!stats.isDirectory() || above.includes(real)) return [];
    return fs
      .readdirSync(real)
      .filter((name) => !NOBODYS.includes(name))
      .flatMap((name) => this.list(`${place}/${name}`, [...above, real]));
  }

  /**
   * Read a file.
   *
   * @param {string} file
   * @returns {string | undefined} undefined where there is none
   */
  read(file) {
    const isFile = this.list(file)[0] === file;
    return isFile ? readProjectFile(this.folder, file) : undefined;
  }

  /**
   * Tell whether an import can find a name: as a package, or by baseUrl.
   *
   * @param {string} name
   * @returns {boolean}
   */
  has(name) {
    const { dependencies, devDependencies } = this.package;
    const listed = { ...dependencies, ...devDependencies };
    const inSource = this.pageFiles.map(
      (file) => /^src\/([^/.]+)/.exec(file)?.[1],
    );
    return (
      name === 'src' ||
      name in listed ||
      `@types/${name}` in listed ||
      inSource.includes(name)
    );
  }

  /**
   * Tell which version of a package it had, be it listed or not.
   *
   * @param {string} name
   * @returns {string | undefined} such as '15.8.1'; undefined where no file of it says so
   */
  installedVersion(name) {
    const text = literally(name);
    const places = [
      [`node_modules/${name}/package.json`, /"version":\s*"(\d[\w.-]*)"/],
      [
        'package-lock.json',
        new RegExp(
          `"(?:node_modules/)?${text}":\\s*\\{\\s*"version":\\s*"(\\d[\\w.-]*)"`,
        ),
      ],
      [
        'yarn.lock',
        new RegExp(`^"?${text}@[^\\n]*:\\n  version:? "?(\\d[\\w.-]*)`, 'm'),
      ],
    ];
    return places
      .map(([file, version]) => version.exec(this.read(file) ?? '')?.[1])
      .find(Boolean);
  }

  /** Whether its compiler options allow decorators, as Babel wanted a plugin for them. */
  get allowsDecorators() {
    return ['tsconfig.json', 'jsconfig.json'].some((name) =>
      /"experimentalDecorators"\s*:\s*true/.test(this.read(name)),
    );
  }

  /**
   * Remember what a person has to look at.
   *
   * @param {string} text
   * @param {string} file
   * @param {number} [index] where in the file; its line is told
   */
  warn(text, file, index) {
    const before = index >= 0 ? this.read(file).slice(0, index) : undefined;
    const line = before === undefined ? '' : `:${before.split('\n').length}`;
    const place = file + line;
    const places = this.warnings.get(text) ?? [];
    if (!places.includes(place)) this.warnings.set(text, [...places, place]);
  }
}

/** Take out what a terminal obeys: these are somebody's texts. */
export function printable(text) {
  return text.replace(/\p{Cc}/gu, '?');
}

function isInside(folder, place) {
  const between = path.relative(folder, place);
  return between.split(path.sep)[0] !== '..' && !path.isAbsolute(between);
}

/**
 * Stop before a file goes that git does not have.
 *
 * @param {Map<string, { from: string } | { text: string }>} files what will be written
 * @returns {string[]} the files that will be deleted or written over
 * @throws {Error} when one of them would be lost
 */
export function assertNothingIsLost(files) {
  const ours = [...REPLACED.flatMap(listOurs), ...files.keys()];
  const going = [...new Set(ours)].filter(
    (file) => isThere(file) && !isWritten(file, files.get(file)),
  );
  const committed = committedFiles(going);
  const lost = going.filter((file) => !committed.has(file));
  if (lost.length > 0) {
    throw problem(
      `Nothing was changed, as these files would be lost:\n  ${lost.join('\n  ')}\n` +
        'Commit them first, so that you can have them back: git add -A && git commit\n' +
        'Where there is no git yet, begin with: git init. Move away what git ignores.',
    );
  }
  return going;
}

function isThere(file) {
  const stats = fs.lstatSync(path.join(ROOT, file), { throwIfNoEntry: false });
  return stats !== undefined && !stats.isDirectory();
}

/** Our files in a place; a link is one of them, whatever it points to. */
function listOurs(place) {
  const stats = fs.lstatSync(path.join(ROOT, place), { throwIfNoEntry: false });
  if (!stats) return [];
  if (!stats.isDirectory()) return [place];
  return fs
    .readdirSync(path.join(ROOT, place))
    .filter((name) => !NOBODYS.includes(name))
    .sort()
    .flatMap((name) => listOurs(`${place}/${name}`));
}

/** A second run finds what the first one has written. */
function isWritten(file, source) {
  const place = path.join(ROOT, file);
  if (!source || !fs.lstatSync(place).isFile()) return false;
  const wanted = source.from ? fs.readFileSync(source.from) : source.text;
  return fs.readFileSync(place).equals(Buffer.from(wanted));
}

/** What git can give back, below the same top-level names. */
function committedFiles(files) {
  const names = [...new Set(files.map((file) => file.split('/')[0]))];
  const tracked = git(['ls-files', '-z', '--', ...names]);
  const changed = git([
    ...['diff', '-z', '--name-only', '--relative', 'HEAD', '--'],
    ...names,
  ]);
  return new Set(
    changed ? tracked?.filter((file) => !changed.includes(file)) : [],
  );
}

function git(args, input) {
  const options = { cwd: ROOT, encoding: 'utf8', input, maxBuffer: 2 ** 30 };
  const { status, stdout } = spawnSync('git', args, options);
  return status === 0 ? stdout.split('\0').filter(Boolean) : undefined;
}

/**
 * Tell which files git would not commit.
 *
 * @param {string[]} files
 * @returns {string[]}
 */
export function ignoredFiles(files) {
  return git(['check-ignore', '-z', '--stdin'], files.join('\0')) ?? [];
}

/**
 * Write what is planned.
 *
 * @param {{ files: Map<string, object>, edits: Record<string, string> }} plan
 * @param {string[]} going our files that go before
 */
export function writePlan({ files, edits }, going) {
  for (const file of going) fs.rmSync(path.join(ROOT, file));
  for (const file of going) removeEmptyFolders(path.dirname(file));
  for (const [file, source] of files) {
    if (isThere(file)) continue;
    const place = path.join(ROOT, file);
    fs.mkdirSync(path.dirname(place), { recursive: true });
    if (source.from) {
      fs.copyFileSync(source.from, place);
      // The copy of a file that may only be read is one to be edited.
      fs.chmodSync(place, fs.statSync(place).mode | 0o200);
    } else {
      fs.writeFileSync(place, source.text);
    }
  }
  for (const [file, text] of Object.entries(edits)) {
    fs.writeFileSync(path.join(ROOT, file), text);
  }
}

function removeEmptyFolders(folder) {
  const place = path.join(ROOT, folder);
  if (folder === '.' || !fs.existsSync(place)) return;
  if (fs.readdirSync(place).length > 0) return;
  fs.rmdirSync(place);
  removeEmptyFolders(path.dirname(folder));
}
