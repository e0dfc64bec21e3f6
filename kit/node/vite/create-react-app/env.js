import path from 'node:path';
import { parseEnvFile, resolveEnvFile } from '../../lib/env-file.js';
import { ownEnvironment, problem, readEnvFile } from '../../lib/project.js';

const REFERENCE = /\\\$|\$(?:(\w+)|\{(\w+)(?::-([^}]*))?\})/g;
// What Flask, or the production server, reads from the same .env.
const SHARED = /^(FLASK_\w+|HOST|PORT|BUILD_PATH)$/;
const WRITTEN = Symbol.for('react-flask-kit:written');

/**
 * Read the environment, and the .env files for what it does not set.
 *
 * "Adding Custom Environment Variables": files on the left have more priority:
 * .env.[mode].local, .env.local (not in tests), .env.[mode], .env; $NAME stands for another
 * variable, \$ for a dollar. What the other half reads too is what it is there.
 *
 * @param {string} root the project's folder
 * @param {string} mode 'development', 'production' or 'test'
 * @returns {Record<string, string>}
 */
export function readEnvironment(root, mode) {
  const environment = ownEnvironment();
  const local = mode === 'test' ? [] : ['.env.local'];
  const names = ['.env', `.env.${mode}`, ...local, `.env.${mode}.local`];
  const texts = names.map((name) => readEnvFile(path.join(root, name)) ?? '');
  const files = texts.map((text, i) => parse(text, names[i]));
  const set = Object.assign({}, ...files);
  const [base, ...others] = files;
  const resolved = resolveEnvFile(texts[0], environment);
  const shared = Object.keys(base).filter(
    (name) =>
      SHARED.test(name) && !others.some((file) => Object.hasOwn(file, name)),
  );
  return {
    ...expand(set, environment),
    ...Object.fromEntries(shared.map((name) => [name, resolved[name]])),
    ...environment,
  };
}

/**
 * Let whoever asks the process see the .env files too; Flask reads its own settings. What a
 * former call has written and the files no longer say is taken back.
 *
 * @param {Record<string, string>} env
 */
export function writeEnvironment(env) {
  const environment = ownEnvironment();
  for (const [name, value] of Object.entries(process[WRITTEN] ?? {})) {
    if (process.env[name] === value) delete process.env[name];
  }
  const isNew = ([name]) => !(name in environment) && !/^FLASK_/.test(name);
  process[WRITTEN] = Object.fromEntries(Object.entries(env).filter(isNew));
  for (const [name, value] of Object.entries(process[WRITTEN])) {
    process.env[name] ??= value;
  }
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

function parse(text, file) {
  return parseEnvFile(text, (line, wrong) => {
    throw problem(`${file}, line ${line} is not NAME=VALUE: ${wrong}`);
  });
}
