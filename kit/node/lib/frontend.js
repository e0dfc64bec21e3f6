import { exec, execFile } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { alone } from './lock.js';
import { run } from './processes.js';
import { problem, ROOT, readPackage, readProjectFile } from './project.js';

const YARN = '@yarnpkg/cli-dist@4.18.1';
const NPX = ['npx', '--prefer-offline', '--yes', `--package=${YARN}`];
const ROOT_IN_LOCKFILE = '@workspace:.';
const STAMP = ['node_modules', '.installed'];
const KIT = fileURLToPath(new URL('..', import.meta.url));

/**
 * Make node_modules what yarn.lock says. Does nothing when it already is.
 *
 * @throws {Error} when the lockfile is not ours or the packages cannot be installed
 */
export async function prepareFrontend() {
  assertLockfileIsWhole();
  if (!isFrontendInstalled()) await alone('frontend', install);
}

/**
 * Let yarn change what is installed, and remember the result.
 *
 * @param {string[]} args of yarn, such as ['add', 'sass']
 * @returns {Promise<number>} its exit code
 */
export function installFrontend(args) {
  return alone('frontend', async () => {
    renameInLockfile();
    // Half-installed is not installed: the next command begins anew.
    fs.rmSync(path.join(ROOT, ...STAMP), { force: true });
    const code = await yarn(args);
    if (code === 0) markAsInstalled();
    return code;
  });
}

async function install() {
  // Another command may have done it while this one waited.
  if (isFrontendInstalled()) return;
  console.log("Installing the frontend's packages (yarn.lock) …");
  renameInLockfile();
  if ((await yarn(['install', '--immutable'])) !== 0) {
    throw problem(
      "The frontend's packages could not be installed; the reason is above.\n" +
        'After editing the dependencies in package.json, run: npm run add-frontend\n' +
        'Without a network nothing can be downloaded. Behind a proxy, set HTTPS_PROXY (and NODE_EXTRA_CA_CERTS for its certificate).',
    );
  }
  markAsInstalled();
}

/**
 * Tell whether node_modules is what yarn.lock says.
 *
 * @returns {boolean}
 */
export function isFrontendInstalled() {
  return installedPackages() === fingerprint();
}

/**
 * Tell which packages are installed, as a text that other packages change.
 *
 * @returns {string | undefined} undefined before the first installation
 */
export function installedPackages() {
  return readProjectFile(...STAMP);
}

function markAsInstalled() {
  fs.writeFileSync(path.join(ROOT, ...STAMP), fingerprint());
}

/**
 * Run the project's own yarn, whichever is or is not installed on this machine.
 *
 * @param {string[]} args
 * @returns {Promise<number>} its exit code
 */
function yarn(args) {
  return run([...NPX, ...yarnCommand(args)], {
    env: yarnEnv(),
    shell: process.platform === 'win32',
  });
}

/**
 * Ask the project's own yarn something.
 *
 * @param {string[]} args without spaces in them, such as ['npm', 'info', 'react', '--json']
 * @returns {Promise<string>} what it prints
 * @throws {Error} when it fails
 */
export async function askYarn(args) {
  const command = [...NPX, ...yarnCommand(args)];
  const options = {
    cwd: ROOT,
    env: { ...process.env, ...yarnEnv() },
    maxBuffer: 2 ** 26,
    windowsHide: true,
  };
  // npx is a batch file on Windows, which takes a shell.
  const { stdout } = await (process.platform === 'win32'
    ? promisify(exec)(command.join(' '), options)
    : promisify(execFile)(command[0], command.slice(1), options));
  return stdout;
}

function yarnEnv() {
  return {
    YARN_IGNORE_PATH: '1',
    ...registrySettings(),
    // `npm run --silent` would hide why there is no yarn; without a network it tried for 70 s.
    npm_config_loglevel: 'error',
    npm_config_fetch_retry_mintimeout: '1000',
  };
}

/**
 * Write the rest of an npx command: yarn, so that a signal to npx reaches it.
 *
 * @param {string[]} args
 * @param {NodeJS.Platform} [platform]
 * @returns {string[]}
 */
export function yarnCommand(args, platform = process.platform) {
  if (platform === 'win32') return ['yarn', ...args];
  // Otherwise npx keeps a shell in between, which ends alone and leaves yarn behind.
  const quoted = args.map((arg) => `'${arg.replaceAll("'", "'\\''")}'`);
  return ['--call', `exec yarn ${quoted.join(' ')}`];
}

/** Let yarn use the registry that npm was told to use. */
function registrySettings() {
  const registry = process.env.npm_config_registry;
  if (!registry || !URL.canParse(registry)) return {};
  const { protocol, hostname } = new URL(registry);
  return {
    YARN_NPM_REGISTRY_SERVER: registry,
    ...(protocol === 'http:' && { YARN_UNSAFE_HTTP_WHITELIST: hostname }),
  };
}

/**
 * Find the command line of a program that a package of the project, or of the kit, brings.
 *
 * @param {string[]} command its name and arguments, such as ['vite', 'build']
 * @returns {string[]} the same, as Node.js starts it on every system
 * @throws {Error} when no package has it
 */
export function frontendCommand([name, ...args]) {
  for (const owner of [ROOT, KIT]) {
    for (const dependency of dependenciesOf(owner)) {
      const folder = findPackage(dependency, owner);
      const { bin } = folder ? readJson(folder) : {};
      if (bin?.[name]) {
        return [process.execPath, path.join(folder, bin[name]), ...args];
      }
    }
  }
  throw problem(`No package in package.json brings the command "${name}".`);
}

function dependenciesOf(folder) {
  const { dependencies, devDependencies } = readJson(folder);
  return Object.keys({ ...dependencies, ...devDependencies });
}

/** Look where Node.js would: in node_modules of the folder, and of those above it. */
function findPackage(name, folder) {
  const place = path.join(folder, 'node_modules', name);
  if (fs.existsSync(path.join(place, 'package.json'))) return place;
  const above = path.dirname(folder);
  return above === folder ? undefined : findPackage(name, above);
}

function readJson(folder) {
  return JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
}

/**
 * Let yarn.lock call the project as package.json does, so that a rename is no reason to resolve
 * anew.
 */
function renameInLockfile() {
  const lockfile = readProjectFile('yarn.lock');
  if (lockfile === undefined) return;
  const renamed = withProjectName(lockfile, readPackage().name);
  if (renamed !== lockfile) {
    fs.writeFileSync(path.join(ROOT, 'yarn.lock'), renamed);
  }
}

/**
 * Write the name of the project's root into a lockfile of Yarn 4: it is in two lines, and
 * decides where among the others the root's entry is.
 *
 * @param {string} lockfile
 * @param {string} [name] of package.json; Yarn itself makes one where there is none
 * @returns {string}
 */
export function withProjectName(lockfile, name) {
  const end = lockfile.includes('\r\n') ? '\r\n' : '\n';
  const text = lockfile.trimEnd();
  const entries = text.split(end + end);
  const isRoot = (entry) => lockfileKey(entry)?.endsWith(ROOT_IN_LOCKFILE);
  const root = entries.find(isRoot);
  if (!root) return lockfile;
  const key = `${name || 'root-workspace-0b6124'}${ROOT_IN_LOCKFILE}`;
  const renamed = root.replaceAll(`"${lockfileKey(root)}"`, () => `"${key}"`);
  const others = entries.filter((entry) => entry !== root);
  const next = others.findIndex((entry) => lockfileKey(entry) > key);
  const place = next === -1 ? others.length : next;
  const written = others.toSpliced(place, 0, renamed).join(end + end);
  return written + lockfile.slice(text.length);
}

function lockfileKey(entry) {
  return /^"(.+)":\r?$/m.exec(entry)?.[1];
}

/**
 * Make sure that yarn.lock is the one lockfile, and Yarn 4's.
 *
 * @throws {Error} when another installer has written one
 */
export function assertLockfileIsWhole() {
  if (
    /^# yarn lockfile v1$|^ {2}version: [1-7]$/m.test(
      readProjectFile('yarn.lock') ?? '',
    )
  ) {
    throw problem(
      'yarn.lock was rewritten by npm or an old Yarn. Take it back (git checkout yarn.lock),\n' +
        'and add packages with: npm run add-frontend PACKAGE',
    );
  }
  if (readProjectFile('package-lock.json') !== undefined) {
    throw problem(
      'package-lock.json is a second lockfile, made by npm. Delete it,\n' +
        'and add packages with: npm run add-frontend PACKAGE',
    );
  }
}

/** What node_modules depends on, as one string. */
function fingerprint() {
  const hash = crypto.createHash('sha256');
  for (const manifest of [readPackage(), readJson(KIT)]) {
    const { dependencies, devDependencies, peerDependencies } = manifest;
    hash.update(
      JSON.stringify([dependencies, devDependencies, peerDependencies]),
    );
  }
  return hash
    .update(withProjectName(readProjectFile('yarn.lock') ?? ''))
    .update(readProjectFile('.yarnrc.yml') ?? '')
    .update(process.platform + process.arch)
    .digest('hex');
}
