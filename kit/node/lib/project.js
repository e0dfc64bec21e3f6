import { isUtf8 } from 'node:buffer';
import fs from 'node:fs';
import path from 'node:path';
import util from 'node:util';
import { resolveEnvFile } from './env-file.js';

/** The project's folder: package scripts run where package.json is. */
export const ROOT = process.cwd();

// Kept where a restart of Vite, which loads this file anew, finds it.
const ENVIRONMENT = Symbol.for('react-flask-kit:environment');
const DEFAULT_API = 'http://127.0.0.1:5000';

/**
 * Tell what the environment was at the first call: Vite's process adds what .env files say.
 *
 * @returns {Record<string, string>}
 */
export function ownEnvironment() {
  process[ENVIRONMENT] ??= { ...process.env };
  return process[ENVIRONMENT];
}

/**
 * Read a file of the project.
 *
 * @param {...string} segments its path, seen from the project's folder
 * @returns {string | undefined} the text, or undefined where there is no such file
 */
export function readProjectFile(...segments) {
  try {
    // Editors on Windows may begin a file with a byte order mark.
    return fs
      .readFileSync(path.resolve(ROOT, ...segments), 'utf8')
      .replace(/^\uFEFF/, '');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Read the project's package.json.
 *
 * @param {string} [folder] where it is
 * @returns {object}
 * @throws {Error} when it is missing or not JSON
 */
export function readPackage(folder = ROOT) {
  const text = readProjectFile(folder, 'package.json');
  if (text === undefined) {
    throw problem(
      `There is no package.json in ${folder}. Run the command in the project's folder.`,
    );
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw problem(`package.json is not JSON: ${error.message}`);
  }
}

/**
 * Write the project's package.json, with the indentation and the line breaks that it has.
 *
 * @param {object} all
 */
export function writePackage(all) {
  const before = readProjectFile('package.json');
  const [indentation] = /^[ \t]+(?=")/m.exec(before) ?? [2];
  const lineBreak = before.includes('\r\n') ? '\r\n' : '\n';
  const end = before.endsWith('\n') ? '\n' : '';
  const text = JSON.stringify(all, null, indentation) + end;
  fs.writeFileSync(
    path.join(ROOT, 'package.json'),
    text.replaceAll('\n', lineBreak),
  );
}

/**
 * Tell where the frontend asks the API: at package.json's "proxy", but on the port
 * FLASK_RUN_PORT, and if it is on this machine, at FLASK_RUN_HOST, where these are set.
 *
 * @param {string} [fallback] used where package.json has no "proxy"
 * @param {Record<string, string | undefined>} [env] the environment
 * @returns {URL | undefined} undefined where neither says it
 * @throws {Error} when an address or port is malformed
 */
export function apiAddress(fallback, env) {
  const proxy = readPackage().proxy || fallback;
  if (!proxy) return undefined;
  const isAddress = /^https?:/.test(proxy) && URL.canParse(proxy);
  if (!isAddress || new URL(proxy).port === '0') {
    throw problem(
      `"proxy" in package.json is ${JSON.stringify(proxy)}. ` +
        'Write the address of the API, for example "http://127.0.0.1:5000".',
    );
  }
  const address = new URL(proxy);
  const port = flaskSetting('FLASK_RUN_PORT', env);
  if (port) address.port = readPort('FLASK_RUN_PORT', port);
  const host = flaskSetting('FLASK_RUN_HOST', env);
  if (host && isLoopback(address)) address.hostname = reachableAt(host);
  return address;
}

/**
 * Tell where the API listens in development, unless its command line says it.
 *
 * @param {Record<string, string | undefined>} [env]
 * @returns {{ host: string, port: number }}
 * @throws {Error} when an address or port is malformed
 */
export function apiPlace(env) {
  const address = apiAddress(DEFAULT_API, env);
  // An URL has no port where it is that of its protocol.
  const usual = { 'http:': 80, 'https:': 443 }[address.protocol];
  const port = flaskSetting('FLASK_RUN_PORT', env) ?? address.port;
  return {
    host: flaskSetting('FLASK_RUN_HOST', env) ?? '127.0.0.1',
    port: readPort('FLASK_RUN_PORT', port, isLoopback(address) ? usual : 5000),
  };
}

function isLoopback({ hostname }) {
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

/** Where to ask a server of this machine that listens on an address. */
function reachableAt(host) {
  if (['0.0.0.0', 'localhost'].includes(host)) return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

/**
 * Read a setting as Flask does: from the environment, then .env, then .flaskenv, which may be
 * in a folder above the project's.
 *
 * @param {string} name
 * @param {Record<string, string | undefined>} [env]
 * @returns {string | undefined} undefined also for one that is empty
 * @throws {Error} when a file cannot be read
 */
export function flaskSetting(name, env = process[ENVIRONMENT] ?? process.env) {
  // What is set to nothing hides what the files say.
  if (env[name] !== undefined) return env[name] || undefined;
  return envFileSettings(env)[name] || undefined;
}

/**
 * Read what .env and, below it, .flaskenv say.
 *
 * @param {Record<string, string | undefined>} env
 * @returns {Record<string, string | undefined>}
 * @throws {Error} when a file cannot be read
 */
export function envFileSettings(env) {
  if (!/^(0|false|no)?$/i.test(env.FLASK_SKIP_DOTENV ?? '')) return {};
  const files = ['.flaskenv', '.env'].map((file) =>
    resolveEnvFile(readEnvFile(findEnvFile(file)) ?? '', env),
  );
  return Object.assign({}, ...files);
}

/** Look in the project's folder and then in those above it, as python-dotenv does. */
function findEnvFile(name, folder = ROOT) {
  const place = path.join(folder, name);
  const above = path.dirname(folder);
  const isLast = folder === ROOT ? fs.existsSync(place) : isFile(place);
  return isLast || above === folder ? place : findEnvFile(name, above);
}

function isFile(place) {
  try {
    const stats = fs.statSync(place);
    return stats.isFile() || stats.isFIFO();
  } catch {
    return false;
  }
}

/**
 * Read a file of settings.
 *
 * @param {string} place seen from the project's folder
 * @returns {string | undefined} the text, or undefined where there is no such file
 * @throws {Error} when it is a folder, may not be read, or is not UTF-8
 */
export function readEnvFile(place) {
  const file = path.resolve(ROOT, place);
  const name = path.relative(ROOT, file);
  let bytes;
  try {
    bytes = fs.readFileSync(file);
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw problem(
      error.code === 'EISDIR'
        ? `${name} is a folder, but settings are read from a file of this name. Rename the folder.`
        : `${name} cannot be read: ${error.message}`,
    );
  }
  // UTF-16 without a mark at its start is UTF-8 that has zeros.
  if (!isUtf8(bytes) || bytes.includes(0)) {
    throw problem(
      `${name} is not UTF-8, which settings are read as. Save it as UTF-8; ` +
        'in PowerShell, ">" writes another encoding, and Set-Content -Encoding utf8 this one.',
    );
  }
  return bytes.toString('utf8');
}

/**
 * Tell in which folder the app's modules are: that of the file which FLASK_APP names.
 *
 * @param {Record<string, string | undefined>} [env]
 * @returns {string} an absolute path; the project's folder where FLASK_APP names no file
 */
export function appFolder(env) {
  const [file] = (flaskSetting('FLASK_APP', env) ?? '').split(/:(?![\\/])/);
  return path.resolve(ROOT, file.endsWith('.py') ? path.dirname(file) : '.');
}

/**
 * Read a port from a setting.
 *
 * @param {string} name the environment variable, for the error
 * @param {string | undefined} value what it says
 * @param {number} [fallback] used when it says nothing
 * @returns {number} 1 to 65535
 * @throws {Error} when the value is not a port
 */
export function readPort(name, value, fallback) {
  const text = String(value || fallback);
  if (!/^\d{1,9}$/.test(text) || Number(text) < 1 || Number(text) > 65535) {
    throw problem(
      `${name}=${value} is not a port. Use a number from 1 to 65535.`,
    );
  }
  return Number(text);
}

/**
 * Tell whether a file of src/ is of tests alone, and not of the page.
 *
 * @param {string} file
 * @returns {boolean}
 */
export function isForTests(file) {
  return /\/__(tests|mocks)__\/|\.(test|spec)\.[jt]sx?$|\/src\/setupTests\.[jt]s$/.test(
    file,
  );
}

/** Write a text as a part of a regular expression that matches it, and nothing else. */
export function literally(text) {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

/**
 * Make an error that is shown to the user without a stack trace.
 *
 * @param {string} text what went wrong, and what to do next
 * @returns {Error}
 */
export function problem(text) {
  const error = new Error(text);
  error.stack = text;
  // Vite shows an error with util.inspect(), which puts brackets around one without a stack.
  error[util.inspect.custom] = () => text;
  return error;
}

/**
 * Tell whether the commands and Vite run on a version of Node.js.
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
