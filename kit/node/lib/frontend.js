import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { alone } from './lock.mjs';
import { run } from './processes.mjs';
import { problem, ROOT, readProjectFile } from './project.mjs';

const YARN = '@yarnpkg/cli-dist@4.18.1';
const NPX = ['npx', '--prefer-offline', '--yes', `--package=${YARN}`];
const STAMP = ['node_modules', '.installed'];

/**
 * Make node_modules what yarn.lock says. Does nothing when it already is.
 *
 * @throws {Error} when the lockfile is not ours or the packages cannot be installed
 */
export async function preparePage() {
  assertLockfileIsWhole();
  if (!isInstalled()) await alone('page', install);
}

async function install() {
  // Another command may have done it while this one waited.
  if (isInstalled()) return;
  console.log("Installing the page's packages (yarn.lock) …");
  if ((await yarn(['install', '--immutable'])) !== 0) {
    throw problem(
      "The page's packages could not be installed; the reason is above.\n" +
        'After editing the dependencies in package.json, run: npm run add-page\n' +
        'Without a network nothing can be downloaded. Behind a proxy, set HTTPS_PROXY (and NODE_EXTRA_CA_CERTS for its certificate).',
    );
  }
  markAsInstalled();
}

function isInstalled() {
  return readProjectFile(...STAMP) === fingerprint();
}

/** Remember that node_modules is what yarn.lock says. */
export function markAsInstalled() {
  fs.writeFileSync(path.join(ROOT, ...STAMP), fingerprint());
}

/**
 * Run the project's own yarn, whichever is or is not installed on this machine.
 *
 * @param {string[]} args
 * @returns {Promise<number>} its exit code
 */
export function yarn(args) {
  return run([...NPX, ...yarnCommand(args)], {
    env: {
      YARN_IGNORE_PATH: '1',
      ...registrySettings(),
      // `npm run --silent` would hide why there is no yarn; without a network it tried for 70 s.
      npm_config_loglevel: 'error',
      npm_config_fetch_retry_mintimeout: '1000',
    },
    shell: process.platform === 'win32',
  });
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

function assertLockfileIsWhole() {
  if (
    /^# yarn lockfile v1$|^ {2}version: [1-7]$/m.test(
      readProjectFile('yarn.lock') ?? '',
    )
  ) {
    throw problem(
      'yarn.lock was rewritten by npm or an old Yarn. Take it back (git checkout yarn.lock),\n' +
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
