import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { REQUIREMENTS } from './api.js';
import { flaskSetting, literally, ROOT } from './project.js';

// An editor that saves all, or git, changes several files in a row.
const SETTLED_AFTER = 20;
const ENV_FILES = ['.env', '.flaskenv'];
const API_PACKAGES = Object.values(REQUIREMENTS);
const FRONTEND_PACKAGES = ['package.json', 'yarn.lock', '.yarnrc.yml'];
const NOBODYS = new Set(['node_modules', '__pycache__', 'venv']);
const NAMED_FILES = ['EXTRA_FILES', 'CERT', 'KEY'];

/** What the API depends on besides its code, which Flask's own reloader does not follow. */
export const AROUND_THE_API = [...ENV_FILES, ...API_PACKAGES];

/** The files that have changed, until somebody takes them. */
export class Changes {
  #files = new Set();
  #waiting = [];

  /** @param {string} file */
  add(file) {
    this.#files.add(file);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Wait until there is one, and those that come with it. */
  async come() {
    if (this.#files.size === 0) {
      await new Promise((resolve) => this.#waiting.push(resolve));
    }
    await sleep(SETTLED_AFTER);
  }

  /** @returns {string[]} those that nobody has taken yet */
  take() {
    const files = [...this.#files];
    this.#files.clear();
    return files;
  }
}

/**
 * Tell what a file concerns, when it has changed.
 *
 * @param {string} file an absolute path
 * @param {ReturnType<typeof watchSettings>} [settings]
 * @returns {'api' | 'api packages' | 'frontend packages' | 'packages to pin' | undefined}
 */
export function concernOf(file, settings = watchSettings()) {
  const name = path.relative(ROOT, file).replaceAll(path.sep, '/');
  if (ENV_FILES.includes(name)) return 'api';
  if (API_PACKAGES.includes(name)) return 'api packages';
  if (FRONTEND_PACKAGES.includes(name)) return 'frontend packages';
  if (name === 'pyproject.toml') return 'packages to pin';
  const { reloads, named, excluded } = settings;
  const isInside = !name.startsWith('..') && !path.isAbsolute(name);
  const isCode = (isInside && name.endsWith('.py')) || named.has(file);
  return reloads && isCode && !excluded.some((it) => matches(file, it))
    ? 'api'
    : undefined;
}

/**
 * Read what `flask run` is told of files that it shall follow.
 *
 * @param {Record<string, string | undefined>} [env]
 * @param {string[]} [elsewhere] what the app has loaded from outside of the project
 */
export function watchSettings(env = process.env, elsewhere = []) {
  // Whoever is started with a file that cannot be read says what is wrong with it.
  const setting = (name) => {
    try {
      return flaskSetting(`FLASK_${name}`, env);
    } catch {
      return undefined;
    }
  };
  const isOn = (text) => !/^(0|false|f|no|n|off)$/i.test(text);
  const reload = setting('RUN_RELOAD') ?? setting('DEBUG');
  const named = NAMED_FILES.flatMap((name) => list(setting(`RUN_${name}`)));
  return {
    reloads: Boolean(reload) && isOn(reload),
    excluded: list(setting('RUN_EXCLUDE_PATTERNS')),
    named: new Set([
      ...named.map((entry) => path.resolve(ROOT, entry)),
      ...elsewhere,
    ]),
  };
}

/** Flask splits it so. */
function list(text) {
  return (text ?? '').split(path.delimiter).filter(Boolean);
}

/** Match as Python's fnmatch does, with which Werkzeug reads the patterns. */
function matches(file, pattern) {
  const source = pattern.replace(
    /\[(!?)([^\]]+)\]|[\s\S]/g,
    (text, not, set) => {
      if (set) return `[${not && '^'}${set.replaceAll('\\', '\\\\')}]`;
      if (text === '*') return '[\\s\\S]*';
      return text === '?' ? '[\\s\\S]' : literally(text);
    },
  );
  return new RegExp(`^${source}$`).test(file);
}

/** The files that concern one of the servers, as they were seen last. */
export class KnownFiles {
  #states = statesBelow(ROOT);

  /** @param {string} file that has been seen to change */
  see(file) {
    this.#states.set(file, stateOf(file));
  }

  /**
   * Look for what a watcher has missed, as it does while Vite restarts.
   *
   * @returns {string[]} the files that have changed
   */
  look() {
    const now = statesBelow(ROOT);
    const files = [...new Set([...this.#states.keys(), ...now.keys()])];
    const before = this.#states;
    this.#states = now;
    return files.filter((file) => before.get(file) !== now.get(file));
  }
}

function statesBelow(folder, settings = watchSettings()) {
  const states = new Map();
  for (const entry of entriesOf(folder)) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) {
      const isNobodys = entry.name.startsWith('.') || NOBODYS.has(entry.name);
      if (isNobodys || fs.existsSync(path.join(file, 'pyvenv.cfg'))) continue;
      for (const state of statesBelow(file, settings)) states.set(...state);
    } else if (concernOf(file, settings)) {
      states.set(file, stateOf(file));
    }
  }
  return states;
}

/** A folder may be gone meanwhile, or another user's. */
function entriesOf(folder) {
  try {
    return fs.readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

function stateOf(file) {
  try {
    const { mtimeMs, size } = fs.statSync(file);
    return `${mtimeMs} ${size}`;
  } catch {
    return undefined;
  }
}
