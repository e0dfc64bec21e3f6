import fs from 'node:fs';
import path from 'node:path';
import util from 'node:util';
import { parseEnvFile } from './env-file.js';

/** The project's folder: package scripts run where package.json is. */
export const ROOT = process.cwd();

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
 * Tell where the API is: at package.json's "proxy", on the port FLASK_RUN_PORT if that is set.
 *
 * @param {string} [fallback] used where package.json has no "proxy"
 * @param {Record<string, string | undefined>} [env] the environment
 * @returns {URL | undefined} undefined where neither says it
 * @throws {Error} when an address or port is malformed
 */
export function apiAddress(fallback, env = process.env) {
  const proxy = readPackage().proxy ?? fallback;
  if (!proxy) return undefined;
  if (!/^https?:/.test(proxy) || !URL.canParse(proxy)) {
    throw problem(
      `"proxy" in package.json is ${JSON.stringify(proxy)}. ` +
        'Write the address of the API, for example "http://127.0.0.1:5000".',
    );
  }
  const address = new URL(proxy);
  const port = flaskSetting('FLASK_RUN_PORT', env);
  if (port) address.port = readPort('FLASK_RUN_PORT', port);
  return address;
}

/**
 * Read a setting as Flask does: from the environment, then .env, then .flaskenv.
 *
 * @param {string} name
 * @param {Record<string, string | undefined>} [env]
 * @returns {string | undefined}
 */
export function flaskSetting(name, env = process.env) {
  const files = ['.env', '.flaskenv'].map((file) =>
    parseEnvFile(readProjectFile(file) ?? ''),
  );
  return [env, ...files].find((settings) => settings[name])?.[name];
}

/**
 * Tell in which folder the app's modules are: that of the file which FLASK_APP names.
 *
 * @param {Record<string, string | undefined>} [env]
 * @returns {string} an absolute path; the project's folder where FLASK_APP names no file
 */
export function appFolder(env = process.env) {
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
  if (!/^\d{1,5}$/.test(text) || Number(text) < 1 || Number(text) > 65535) {
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
