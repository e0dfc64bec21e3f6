import { spawnSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { alone } from './lock.js';
import { run } from './processes.js';
import { appFolder, problem, ROOT, readProjectFile } from './project.js';

const OLDEST_KNOWN_MINOR = 10;
const NEWEST_KNOWN_MINOR = 14;
/** Where the packages of the API are. */
export const VENV = path.join(ROOT, 'api', 'venv');
const INSTALLED = path.join(VENV, 'installed.json');
// What stands for the kit among the requirements.
const KIT = 'react-flask-kit';
const PRINT_VERSION =
  'import sys; print("Python %d.%d" % sys.version_info[:2])';

/** The pinned packages: those of the app, of its tests and tools, and of the kit's own tests. */
export const REQUIREMENTS = {
  app: 'api/requirements.txt',
  dev: 'api/requirements-dev.txt',
  kit: 'kit/python/requirements-test.txt',
};

/**
 * Tell the oldest Python that pyproject.toml allows.
 *
 * @returns {string} such as '3.10'
 */
export function oldestPython() {
  const requires = /^requires-python\s*=\s*["']>=\s*(3\.\d+)/m;
  const text = readProjectFile('pyproject.toml') ?? '';
  return requires.exec(text)?.[1] ?? `3.${OLDEST_KNOWN_MINOR}`;
}

/**
 * Tell where pyproject.toml takes react-flask-kit from, if that is a folder of the project.
 *
 * @returns {string | undefined} such as 'kit/python'; undefined for a package of the index
 */
export function localKit() {
  const source = /^react-flask-kit\s*=\s*\{[^}]*\bpath\s*=\s*["']([^"']+)["']/m;
  return source.exec(readProjectFile('pyproject.toml') ?? '')?.[1];
}

/**
 * Make api/venv what the requirements say. Does nothing when it already is.
 *
 * @param {object} [options]
 * @param {boolean} [options.dev] with the packages for tests and linting
 * @param {boolean} [options.kit] also with those for the tests of the kit itself
 * @throws {Error} when there is no suitable Python or the packages cannot be installed
 */
export async function prepareApi({ dev = false, kit = false } = {}) {
  const names = ['app', dev && 'dev', kit && 'kit'].filter(Boolean);
  if (!isApiInstalled(names)) await alone('api', () => bringInStep(names));
}

/**
 * Tell whether api/venv is what the requirements say.
 *
 * @param {string[]} [names] keys of REQUIREMENTS
 * @returns {boolean}
 */
export function isApiInstalled(names = ['app']) {
  const installed = readInstalled();
  return (
    installed !== undefined &&
    sameTexts(wanted(names, installed), installed.requirements)
  );
}

async function bringInStep(names) {
  const installed = readInstalled() ?? {
    python: await makeVenv(),
    requirements: {},
  };
  const requirements = wanted(names, installed);
  const before = installed.requirements;
  // Another command may have done it while this one waited.
  if (sameTexts(requirements, before)) return;
  const { [KIT]: kit, ...files } = requirements;
  const { [KIT]: kitBefore, ...filesBefore } = before;
  // Half-installed is not installed: whoever is interrupted begins anew.
  remember(installed.python, {});
  if (!sameTexts(files, filesBefore)) {
    await install(Object.keys(files));
    await uninstall(packagesGone(filesBefore, files));
  }
  if (kit && kit !== kitBefore) await installKit();
  remember(installed.python, requirements);
}

function remember(python, requirements) {
  fs.writeFileSync(INSTALLED, JSON.stringify({ python, requirements }));
}

/**
 * The requirements by file; those that somebody once needed stay. A kit that is a folder of the
 * project is among them, as what its installation depends on.
 */
function wanted(names, installed) {
  const files = Object.entries(REQUIREMENTS).filter(
    ([name, file]) => names.includes(name) || file in installed.requirements,
  );
  const texts = files.map(([, file]) => [file, readProjectFile(file) ?? '']);
  const kit = localKit();
  return Object.fromEntries(kit ? [...texts, [KIT, digest(kit)]] : texts);
}

/** An editable package is installed anew for other metadata only, another one for any change. */
function digest(kit) {
  const hash = crypto.createHash('sha256');
  const folder = path.join(ROOT, kit);
  const names = canEdit()
    ? ['pyproject.toml']
    : fs
        .readdirSync(folder, { recursive: true })
        .filter((name) => /\.(py|toml|typed)$/.test(name))
        .sort();
  for (const name of names) {
    hash.update(name).update(fs.readFileSync(path.join(folder, name)));
  }
  return hash.digest('hex');
}

/** Ask the folder of pip: to ask pip itself would cost each command half a second. */
function canEdit() {
  const packages = sitePackages();
  const found = packages ? fs.readdirSync(packages) : [];
  const pip = found.find((entry) => /^pip-[\d.]+\.dist-info$/.test(entry));
  const [, major, minor] = /^pip-(\d+)\.(\d+)/.exec(pip) ?? [];
  return Number(major) > 21 || (major === '21' && minor >= 3);
}

/**
 * Find the folder of api/venv with what pip has installed.
 *
 * @returns {string | undefined} undefined where there is none
 */
export function sitePackages() {
  const places = ['Lib', 'lib'].flatMap((lib) => {
    const folder = path.join(VENV, lib);
    const names = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
    return ['.', ...names].map((name) =>
      path.join(folder, name, 'site-packages'),
    );
  });
  return places.find((place) => fs.existsSync(place));
}

/**
 * Find the command line of a program that a package of the API brings.
 *
 * @param {string[]} command its name and arguments, such as ['flask', 'run']
 * @returns {string[]} the same, run by the Python of api/venv
 */
export function apiCommand(command) {
  return [venvPython(), '-m', ...command];
}

/**
 * Make the environment in which the app's own modules are found, wherever it is imported from.
 *
 * A stray __init__.py beside api.py makes Flask import it as a part of a package, and its
 * neighbours would be out of reach.
 *
 * @returns {Record<string, string>}
 */
export function apiEnv() {
  const folders = [appFolder(), process.env.PYTHONPATH].filter(Boolean);
  return { PYTHONPATH: folders.join(path.delimiter) };
}

/**
 * Tell where the Python of a virtual environment is.
 *
 * @param {string} [venv] its folder
 * @param {NodeJS.Platform} [platform]
 * @returns {string}
 */
export function venvPython(venv = VENV, platform = process.platform) {
  return platform === 'win32'
    ? path.win32.join(venv, 'Scripts', 'python.exe')
    : path.posix.join(venv, 'bin', 'python');
}

/**
 * List the commands that may start a Python, best first.
 *
 * @param {NodeJS.Platform} [platform]
 * @param {Record<string, string | undefined>} [env]
 * @returns {string[][]} PYTHON alone where it is set: whoever sets it means it
 */
export function pythonCandidates(
  platform = process.platform,
  env = process.env,
) {
  if (env.PYTHON) return [[env.PYTHON]];
  // On Windows python3 is often the Microsoft Store's stub, which runs nothing.
  if (platform === 'win32') return [['py', '-3'], ['python'], ['python3']];
  const versioned = [];
  for (let minor = NEWEST_KNOWN_MINOR; minor >= oldestMinor(); minor--) {
    versioned.push([`python3.${minor}`]);
  }
  return [['python3'], ['python'], ...versioned];
}

/**
 * Choose the first Python that is new enough.
 *
 * @param {string[][]} [candidates]
 * @param {(command: string[]) => string | undefined} [ask] a command's 'Python X.Y', if it starts
 * @returns {{ command: string[], version: string }}
 * @throws {Error} that says what was tried and what to install
 */
export function findPython(candidates = pythonCandidates(), ask = probe) {
  const tried = [];
  for (const command of candidates) {
    const version = ask(command);
    if (version && isNewEnough(version)) return { command, version };
    tried.push(`  ${command.join(' ')}: ${version ?? 'not found'}`);
  }
  throw problem(
    `The API needs Python ${oldestPython()} or newer. Tried:\n${tried.join('\n')}\n` +
      'Install it from https://www.python.org/downloads/ (Debian, Ubuntu: sudo apt install ' +
      'python3 python3-venv; macOS: brew install python), or set PYTHON to its path.',
  );
}

/**
 * Tell whether the project runs on a Python.
 *
 * @param {string} version such as 'Python 3.12'
 * @returns {boolean}
 */
export function isNewEnough(version) {
  const [, minor] = /^Python 3\.(\d+)$/.exec(version) ?? [];
  return Number(minor) >= oldestMinor();
}

function oldestMinor() {
  return Number(oldestPython().split('.')[1]);
}

/**
 * Let a Python say its version.
 *
 * @param {string[]} command such as ['python3']
 * @returns {string | undefined} such as 'Python 3.12'; undefined where it does not start
 */
export function probe([program, ...args]) {
  const { status, stdout } = spawnSync(
    program,
    [...args, '-c', PRINT_VERSION],
    { encoding: 'utf8', windowsHide: true },
  );
  const version = stdout?.trim();
  return status === 0 && /^Python \d+\.\d+$/.test(version)
    ? version
    : undefined;
}

async function makeVenv() {
  const { command, version } = findPython();
  console.log(`Making api/venv with ${version} (${command.join(' ')}) …`);
  const code = await run([...command, '-m', 'venv', '--clear', VENV]);
  if (code !== 0) {
    throw problem(
      `${command.join(' ')} could not make a virtual environment; the reason is above.\n` +
        'Debian and Ubuntu ship this part apart: sudo apt install python3-venv',
    );
  }
  return version;
}

async function install(files) {
  console.log(`Installing the API's packages (${files.at(-1)}) …`);
  const lists = files.flatMap((file) => ['-r', file]);
  if ((await pip('install', '--require-hashes', ...lists)) !== 0) {
    throw problem(
      "The API's packages could not be installed; the reason is above.\n" +
        'Without a network nothing can be downloaded. Behind a proxy, set HTTPS_PROXY (and PIP_CERT for its certificate).',
    );
  }
}

/** A folder has no hash, so it comes after what has: all that it needs is there by then. */
async function installKit() {
  const folder = `./${localKit()}`;
  const code = await pip(
    'install',
    '--no-deps',
    '--no-build-isolation',
    '--no-index',
    ...(canEdit() ? ['--editable', folder] : [folder]),
  );
  if (code !== 0) {
    throw problem(
      `${folder} could not be installed; the reason is above. Delete api/venv and try again.`,
    );
  }
}

async function uninstall(names) {
  if (names.length > 0) await pip('uninstall', '--yes', ...names);
}

/** Where nobody watches, a log is better without what it does. */
function pip(command, ...args) {
  const env = { PIP_DISABLE_PIP_VERSION_CHECK: '1' };
  const quiet = process.stdout.isTTY ? [] : ['--quiet'];
  return run(apiCommand(['pip', command, ...quiet, ...args]), { env });
}

function packagesGone(before, after) {
  const names = (texts) =>
    Object.values(texts).flatMap(
      (text) => text.match(/^[\w.-]+(?===)/gm) ?? [],
    );
  const kept = new Set(names(after));
  return [...new Set(names(before))].filter((name) => !kept.has(name));
}

/** What is in api/venv; undefined where it cannot be used or was never finished. */
function readInstalled() {
  try {
    const installed = JSON.parse(fs.readFileSync(INSTALLED, 'utf8'));
    const isUsable =
      installed.requirements && installed.python === probe([venvPython()]);
    return isUsable ? installed : undefined;
  } catch {
    return undefined;
  }
}

function sameTexts(a, b) {
  return JSON.stringify(a) === JSON.stringify(b);
}
