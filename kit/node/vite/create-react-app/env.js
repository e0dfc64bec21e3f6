import fs from 'node:fs';
import path from 'node:path';
import { problem } from '../../lib/project.js';

// A line that sets a variable: in quotes, which may hold several lines, or plain up to " #".
const ASSIGNMENT =
  /^[^\S\n]*(?:export[^\S\n]+)?([\w.-]+)[^\S\n]*=[^\S\n]*(?:(['"`])((?:\\.|(?!\2)[^\\])*)\2[^\S\n]*(?:#.*)?|((?!['"`]).*))$/gm;
const REFERENCE = /(\\)?\$(?:\{(\w+)\}|(\w+))/g;
// Kept where a restart of Vite finds it: by then, process.env has the files' values too.
const ENVIRONMENT = Symbol.for('create-react-app:environment');

/**
 * Read the environment, and the .env files for what it does not set.
 *
 * "Adding Custom Environment Variables": files on the left have more priority:
 * .env.[mode].local, .env.local (not in tests), .env.[mode], .env; $NAME and ${NAME} stand for
 * other variables, \$ for a dollar.
 *
 * @param {string} root the project's folder
 * @param {string} mode 'development', 'production' or 'test'
 * @returns {Record<string, string>}
 */
export function readEnvironment(root, mode) {
  process[ENVIRONMENT] ??= { ...process.env };
  const environment = process[ENVIRONMENT];
  const local = mode === 'test' ? [] : ['.env.local'];
  const files = ['.env', `.env.${mode}`, ...local, `.env.${mode}.local`];
  const set = Object.assign({}, ...files.map((file) => parse(root, file)));

  const lookUp = (name, within) => {
    if (environment[name] !== undefined) return environment[name];
    if (within.includes(name)) return '';
    return (set[name] ?? '').replace(REFERENCE, (text, escaped, a, b) =>
      escaped ? text.slice(1) : lookUp(a ?? b, [...within, name]),
    );
  };
  const expanded = Object.keys(set).map((name) => [name, lookUp(name, [])]);
  return { ...Object.fromEntries(expanded), ...environment };
}

/**
 * List what the page may know of the environment: these names, and nothing else.
 *
 * @param {Record<string, string>} env
 * @param {string} nodeEnv the command's: create-react-app lets nobody override it
 * @param {string} publicUrl
 * @returns {Record<string, string>}
 */
export function forPage(env, nodeEnv, publicUrl) {
  const names = Object.keys(env).filter((name) => /^REACT_APP_\w+$/.test(name));
  return {
    NODE_ENV: nodeEnv,
    PUBLIC_URL: publicUrl,
    ...Object.fromEntries(names.map((name) => [name, env[name]])),
  };
}

/**
 * Write the code's process.env into it, as a whole and name by name.
 *
 * @param {Record<string, string>} pageEnv
 * @returns {Record<string, string>} for Vite's `define`
 */
export function defineProcessEnv(pageEnv) {
  const names = Object.keys(pageEnv).map((name) => [
    `process.env.${name}`,
    JSON.stringify(pageEnv[name]),
  ]);
  return {
    'process.env': JSON.stringify(pageEnv),
    ...Object.fromEntries(names),
  };
}

function parse(root, file) {
  const place = path.join(root, file);
  if (!fs.existsSync(place)) return {};
  const text = fs.readFileSync(place, 'utf8').replaceAll('\r\n', '\n');
  const set = {};
  const rest = text.replace(ASSIGNMENT, (all, name, quote, quoted, plain) => {
    set[name] = quoted ?? plain.replace(/\s#.*$/, '').trim();
    if (quote === '"') set[name] = quoted.replaceAll('\\n', '\n');
    return all.replace(/.+/g, '');
  });
  const lines = rest.split('\n');
  const wrong = lines.findIndex((line) => /^\s*[^#\s]/.test(line));
  if (wrong !== -1) {
    throw problem(
      `${file}, line ${wrong + 1} is not NAME=VALUE: ${lines[wrong].trim()}`,
    );
  }
  return set;
}
