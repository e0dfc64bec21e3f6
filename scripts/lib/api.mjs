import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
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
 * @param {string} [options.label] for the output
 * @throws {Error} when there is no suitable Python or the packages cannot be installed
 */
export async function prepareApi({ dev = false, label } = {}) {
  let installed = readInstalled();
  const version = probe([venvPython()]);
  if (!installed || !version || version !== installed.python) {
    installed = { python: await makeVenv(label), requirements: {} };
  }
  const files = ['requirements.txt'];
  if (dev || installed.requirements['requirements-dev.txt']) {
    files.push('requirements-dev.txt');
  }
  const wanted = Object.fromEntries(
    files.map((file) => [file, readProjectFile('api', file)]),
  );
  if (sameTexts(wanted, installed.requirements)) return;
  await install(files.at(-1), label);
  await uninstall(packagesGone(installed.requirements, wanted), label);
  fs.writeFileSync(
    INSTALLED,
    JSON.stringify({ python: installed.python, requirements: wanted }),
  );
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

async function makeVenv(label) {
  const { command, version } = findPython();
  say(`Making api/venv with ${version} (${command.join(' ')}) …`, label);
  const code = await run([...command, '-m', 'venv', '--clear', VENV], {
    label,
  });
  if (code !== 0) {
    throw problem(
      `${command.join(' ')} could not make a virtual environment; the reason is above.\n` +
        'Debian and Ubuntu ship this part apart: sudo apt install python3-venv',
    );
  }
  return version;
}

async function install(file, label) {
  say(`Installing the API's packages (api/${file}) …`, label);
  const requirements = path.join('api', file);
  const code = await pip(
    ['install', '--quiet', '--require-hashes', '-r', requirements],
    label,
  );
  if (code !== 0) {
    throw problem(
      "The API's packages could not be installed; the reason is above.\n" +
        'Behind a proxy, set HTTPS_PROXY (and PIP_CERT for its certificate).',
    );
  }
}

async function uninstall(names, label) {
  if (names.length > 0) await pip(['uninstall', '--yes', ...names], label);
}

function pip(args, label) {
  const env = { PIP_DISABLE_PIP_VERSION_CHECK: '1' };
  return run(apiCommand(['pip', ...args]), { env, label });
}

function packagesGone(before, after) {
  const names = (texts) =>
    Object.values(texts).flatMap(
      (text) => text.match(/^[\w.-]+(?===)/gm) ?? [],
    );
  const kept = new Set(names(after));
  return [...new Set(names(before))].filter((name) => !kept.has(name));
}

function readInstalled() {
  return JSON.parse(readProjectFile('api', 'venv', 'installed.json') ?? 'null');
}

function sameTexts(a, b) {
  return JSON.stringify(a) === JSON.stringify(b);
}

function say(text, label) {
  console.log(label ? `${label} ${text}` : text);
}
