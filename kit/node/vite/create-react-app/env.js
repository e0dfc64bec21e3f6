import fs from 'node:fs';
import path from 'node:path';
import { parseEnvFile } from '../../lib/env-file.js';
import { problem } from '../../lib/project.js';

const REFERENCE = /\\\$|\$(?:(\w+)|\{(\w+)(?::-([^}]*))?\})/g;
// Kept where a restart of Vite finds it: by then, process.env has the files' values too.
const ENVIRONMENT = Symbol.for('create-react-app:environment');

/**
 * Read the environment, and the .env files for what it does not set.
 *
 * "Adding Custom Environment Variables": files on the left have more priority:
 * .env.[mode].local, .env.local (not in tests), .env.[mode], .env; $NAME stands for another
 * variable, \$ for a dollar.
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
  return { ...expand(set, environment), ...environment };
}

/**
 * Replace references: $NAME and ${NAME} as in create-react-app, ${NAME:-default} as in Flask.
 *
 * @param {Record<string, string>} set by files
 * @param {Record<string, string>} environment has more priority, and is taken literally
 * @returns {Record<string, string>} the same names
 */
export function expand(set, environment) {
  const given = new Map(Object.entries(environment));
  const written = new Map(Object.entries(set));
  const lookUp = (name, within = []) => {
    if (given.has(name)) return given.get(name);
    if (within.includes(name)) return '';
    return written
      .get(name)
      ?.replace(REFERENCE, (text, plain, braced, fallback = '') =>
        text === '\\$'
          ? '$'
          : (lookUp(plain ?? braced, [...within, name]) ?? fallback),
      );
  };
  return Object.fromEntries(Object.keys(set).map((key) => [key, lookUp(key)]));
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
  return parseEnvFile(fs.readFileSync(place, 'utf8'), (line, text) => {
    throw problem(`${file}, line ${line} is not NAME=VALUE: ${text}`);
  });
}
