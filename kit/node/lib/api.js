import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { alone } from './lock.mjs';
import { run } from './processes.mjs';
import { problem, ROOT, readProjectFile } from './project.mjs';

const NEWEST_MINOR = 14;
const VENV = path.join(ROOT, 'api', 'venv');
const INSTALLED = path.join(VENV, 'installed.json');
const PRINT_VERSION =
  'import sys; print("Python %d.%d" % sys.version_info[:2])';

/** The oldest Python that pyproject.toml allows, such as '3.10'. */
export const OLDEST_PYTHON = readProjectFile('pyproject.toml').match(
  /^requires-python = ">=(3\.\d+)"$/m,
)[1];

/**
 * Make api/venv what the requirements say. Does nothing when it already is.
 *
 * @param {object} [options]
 * @param {boolean} [options.dev] with the packages for tests and linting
 * @throws {Error} when there is no suitable Python or the packages cannot be installed
 */
export async function prepareApi({ dev = false } = {}) {
  const installed = readInstalled();
  if (
    !installed ||
    !sameTexts(wanted(dev, installed), installed.requirements)
  ) {
    await alone('api', () => bringInStep(dev));
  }
}

async function bringInStep(dev) {
  const installed = readInstalled() ?? {
    python: await makeVenv(),
    requirements: {},
  };
  const requirements = wanted(dev, installed);
  // Another command may have done it while this one waited.
  if (sameTexts(requirements, installed.requirements)) return;
  await install(Object.keys(requirements).at(-1));
  await uninstall(packagesGone(installed.requirements, requirements));
  fs.writeFileSync(
    INSTALLED,
    JSON.stringify({ python: installed.python, requirements }),
  );
}

/** The requirements by file: those for development too, once someone needed them. */
function wanted(dev, installed) {
  const files = ['requirements.txt'];
  if (dev || installed.requirements['requirements-dev.txt']) {
    files.push('requirements-dev.txt');
  }
  return Object.fromEntries(
    files.map((file) => [file, readProjectFile('api', file)]),
  );
}

/**
 * Find the command line of a Python file, or of a program that a package of the API brings.
 *
 * @param {string[]} command its name and arguments, such as ['flask', 'run']
 * @returns {string[]} the same, run by the Python of api/venv
 */
export function apiCommand(command) {
  const isFile = command[0].endsWith('.py');
  return [venvPython(), ...(isFile ? [] : ['-m']), ...command];
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
  for (let minor = NEWEST_MINOR; minor >= minorOf(OLDEST_PYTHON); minor--) {
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
    `The API needs Python ${OLDEST_PYTHON} or newer. Tried:\n${tried.join('\n')}\n` +
      'Install it from https://www.python.org/downloads/ (Debian, Ubuntu: sudo apt install ' +
      'python3 python3-venv; macOS: brew install python), or set PYTHON to its path.',
  );
}

function isNewEnough(version) {
  return (
    version.startsWith('Python 3.') &&
    minorOf(version) >= minorOf(OLDEST_PYTHON)
  );
}

function minorOf(version) {
  return Number(version.split('.')[1]);
}

/** Let a Python say its version; undefined where it does not start. */
function probe([program, ...args]) {
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

async function install(file) {
  console.log(`Installing the API's packages (api/${file}) …`);
  const requirements = path.join('api', file);
  const code = await pip(
    'install',
    '--quiet',
    '--require-hashes',
    '-r',
    requirements,
  );
  if (code !== 0) {
    throw problem(
      "The API's packages could not be installed; the reason is above.\n" +
        'Without a network nothing can be downloaded. Behind a proxy, set HTTPS_PROXY (and PIP_CERT for its certificate).',
    );
  }
}

async function uninstall(names) {
  if (names.length > 0) await pip('uninstall', '--quiet', '--yes', ...names);
}

function pip(...args) {
  const env = { PIP_DISABLE_PIP_VERSION_CHECK: '1' };
  return run(apiCommand(['pip', ...args]), { env });
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
