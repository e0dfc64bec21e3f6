import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import util from 'node:util';

/** The folder that holds package.json. */
export const ROOT = path.resolve(
  path.dirname(fileURLToPath(import.meta.url)),
  '../..',
);

/**
 * Read a file of the project.
 *
 * @param {...string} segments its path below the project's folder
 * @returns {string | undefined} the text, or undefined where there is no such file
 */
export function readProjectFile(...segments) {
  try {
    return fs.readFileSync(path.join(ROOT, ...segments), 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Tell where the API is: at package.json's "proxy", on the port FLASK_RUN_PORT if that is set.
 *
 * @param {Record<string, string | undefined>} [env] the environment
 * @returns {URL | undefined} undefined where package.json has no "proxy"
 * @throws {Error} when either is malformed
 */
export function apiAddress(env = process.env) {
  const { proxy } = JSON.parse(readProjectFile('package.json'));
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
    util.parseEnv(readProjectFile(file) ?? ''),
  );
  return [env, ...files].find((settings) => settings[name])?.[name];
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
  const port = Number(value || fallback);
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw problem(
      `${name}=${value} is not a port. Use a number from 1 to 65535.`,
    );
  }
  return port;
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

function assertNodeIsSupported() {
  const { node } = process.versions;
  if (!isNodeSupported(node)) {
    const { engines } = JSON.parse(readProjectFile('package.json'));
    throw problem(
      `This is Node.js ${node}. ` +
        `Install ${engines.node} from https://nodejs.org, then run the command again.`,
    );
  }
}

/**
 * Run a command of package.json; show what it throws and let the process fail.
 *
 * @param {() => Promise<number | void>} command may return the exit code
 */
export async function main(command) {
  try {
    assertNodeIsSupported();
    process.exitCode = await command();
  } catch (error) {
    console.error(`\n${error.stack}\n`);
    process.exitCode = 1;
  }
}
