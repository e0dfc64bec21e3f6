import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { run } from './processes.mjs';
import { problem, ROOT, readProjectFile } from './project.mjs';

const YARN = '@yarnpkg/cli-dist@4.18.1';
const STAMP = ['node_modules', '.installed'];

/**
 * Make node_modules what yarn.lock says. Does nothing when it already is.
 *
 * @param {{ label?: string }} [options] for the output
 * @throws {Error} when Node.js is too old or the packages cannot be installed
 */
export async function preparePage(options) {
  assertNodeIsSupported();
  assertLockfileIsWhole();
  const wanted = fingerprint();
  if (readProjectFile(...STAMP) === wanted) return;
  if ((await yarn(['install', '--immutable'], options)) !== 0) {
    throw problem(
      'The packages of the page could not be installed; the reason is above.\n' +
        'After editing the dependencies in package.json, run: npm run add-page\n' +
        'Behind a proxy, set HTTPS_PROXY (and NODE_EXTRA_CA_CERTS for its certificate).',
    );
  }
  markAsInstalled();
}

/** Remember that node_modules is what yarn.lock says. */
export function markAsInstalled() {
  fs.writeFileSync(path.join(ROOT, ...STAMP), fingerprint());
}

/**
 * Run the project's own yarn, whichever is or is not installed on this machine.
 *
 * @param {string[]} args
 * @param {{ label?: string }} [options] for the output
 * @returns {Promise<number>} its exit code
 */
export function yarn(args, options) {
  const registry = process.env.npm_config_registry;
  return run(
    ['npx', '--prefer-offline', '--yes', `--package=${YARN}`, 'yarn', ...args],
    {
      ...options,
      env: {
        YARN_IGNORE_PATH: '1',
        ...(registry && { YARN_NPM_REGISTRY_SERVER: registry }),
      },
      shell: process.platform === 'win32',
    },
  );
}

/**
 * Find the command line of a program that a package of the project brings.
 *
 * @param {string[]} command its name and arguments, such as ['vite', 'build']
 * @returns {string[]} the same, as Node.js starts it on every system
 */
export function pageCommand([name, ...args]) {
  const { dependencies, devDependencies } = packageJson();
  for (const dependency of Object.keys({
    ...dependencies,
    ...devDependencies,
  })) {
    const file = readProjectFile('node_modules', dependency, 'package.json');
    const { bin } = JSON.parse(file ?? '{}');
    if (bin?.[name]) {
      const script = path.join(ROOT, 'node_modules', dependency, bin[name]);
      return [process.execPath, script, ...args];
    }
  }
  throw problem(`No package in package.json brings the command "${name}".`);
}

/**
 * Tell whether Vite runs on a version of Node.js.
 *
 * @param {string} version such as '20.19.0'
 * @returns {boolean}
 */
export function isNodeSupported(version) {
  const [major, minor] = version.split('.').map(Number);
  return (
    (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22
  );
}

function assertNodeIsSupported() {
  if (!isNodeSupported(process.versions.node)) {
    throw problem(
      `This is Node.js ${process.versions.node}. ` +
        `Install ${packageJson().engines.node} from https://nodejs.org, then run the command again.`,
    );
  }
}

function assertLockfileIsWhole() {
  if (/^# yarn lockfile v1$/m.test(readProjectFile('yarn.lock') ?? '')) {
    throw problem(
      'yarn.lock was rewritten by Yarn 1 or npm. Take it back (git checkout yarn.lock),\n' +
        'and add packages with: npm run add-page PACKAGE',
    );
  }
  if (readProjectFile('package-lock.json') !== undefined) {
    throw problem(
      'package-lock.json is a second lockfile, made by npm. Delete it,\n' +
        'and add packages with: npm run add-page PACKAGE',
    );
  }
}

/** What node_modules depends on, as one string. */
function fingerprint() {
  const { dependencies, devDependencies } = packageJson();
  return crypto
    .createHash('sha256')
    .update(readProjectFile('yarn.lock') ?? '')
    .update(readProjectFile('.yarnrc.yml') ?? '')
    .update(JSON.stringify([dependencies, devDependencies]))
    .update(process.platform + process.arch)
    .digest('hex');
}

function packageJson() {
  return JSON.parse(readProjectFile('package.json'));
}
