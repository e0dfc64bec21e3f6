import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { apiCommand, apiEnv, prepareApi } from './api.js';
import {
  AROUND_THE_API,
  Changes,
  concernOf,
  KnownFiles,
  watchSettings,
} from './changes.js';
import {
  frontendCommand,
  installedPackages,
  prepareFrontend,
} from './frontend.js';
import { isPortFree } from './ports.js';
import { exitCode, start, stop } from './processes.js';
import { ROOT } from './project.js';

const LONGEST_WAIT_FOR_REQUESTS = 4_000;
const SOON = 10_000;
const LOOK_AGAIN_AFTER = 500;
// As a shell numbers what SIGHUP, SIGINT, SIGKILL and SIGTERM end; a program may do so itself.
const KILLED = [129, 130, 137, 143];
const FLASK = ['flask', '--app', 'react_flask_kit.development', 'run'];
const NO_DEBUGGER = '--no-debugger';
const RESTARTED = { API_RESTARTS: '1' };

/** Vite's development server, and what it is told by and tells to this process. */
export class Frontend {
  #args;
  #options;
  #vite;
  #api;
  #changes = new Changes();
  #quiet;

  /**
   * @param {string[]} args for Vite
   * @param {object} [options] those of `start` in processes.js
   */
  constructor(args, options) {
    this.#args = args;
    this.#options = options;
  }

  /**
   * Run it until it ends. It is run anew when its packages have changed, and after a crash.
   *
   * @param {(file: string, concern: string) => void} [follow] is told each file that has
   *   changed and concerns a server
   * @returns {Promise<number>} its exit code, as a shell tells it
   */
  async run(follow = () => {}) {
    let crashed = Number.NEGATIVE_INFINITY;
    const known = new KnownFiles();
    let elsewhere = [];
    for (;;) {
      let isListening = false;
      this.#vite = start(frontendCommand(['vite', ...this.#args]), {
        ...this.#options,
        ipc: true,
      });
      this.#vite.child?.on('message', (message) => {
        const { changed, watching, loaded } = message;
        if (loaded) elsewhere = loaded;
        const files = watching ? known.look() : [changed].filter(Boolean);
        for (const file of files) {
          known.see(file);
          const concern = concernOf(file, watchSettings(undefined, elsewhere));
          if (concern) follow(file, concern);
          if (concern === 'frontend packages') this.#changes.add(file);
        }
        if (message.quiet) this.#quiet?.();
        if (message.listening) {
          isListening = true;
          this.#send(this.#api);
        }
      });
      const how = await this.#untilEndOrOtherPackages();
      if (how === undefined) continue;
      const code = exitCode(how);
      const isCrash = code !== 0 && !KILLED.includes(code);
      const isSoon = Date.now() < crashed + SOON;
      if (!isCrash || !isListening || isSoon) return code;
      crashed = Date.now();
      console.error(
        "The frontend's server crashed; the reason is above. It is started again.",
      );
    }
  }

  /**
   * Say what becomes of the API.
   *
   * @param {{ api: 'starting' | 'ended', crash?: object }} state
   */
  tell(state) {
    this.#api = state;
    this.#send(state);
  }

  /** Let requests wait from now on, and those end that the API is answering. */
  async holdRequests() {
    this.#api = { api: 'restarting' };
    if (!this.#vite?.child?.connected) return;
    const isQuiet = new Promise((resolve) => {
      this.#quiet = resolve;
    });
    this.#send(this.#api);
    const isLong = sleep(LONGEST_WAIT_FOR_REQUESTS, undefined, { ref: false });
    await Promise.race([isQuiet, isLong, this.#vite.ended]);
  }

  #send(message) {
    const child = this.#vite?.child;
    // It may be ending right now, and then nobody wants to know.
    if (message && child?.connected) child.send(message, () => {});
  }

  /** Resolve to how it ended; to undefined where it was ended for other packages. */
  async #untilEndOrOtherPackages() {
    const { child, ended } = this.#vite;
    const packages = installedPackages();
    for (;;) {
      const how = await Promise.race([ended, this.#changes.come()]);
      if (how) return how;
      this.#changes.take();
      try {
        await prepareFrontend();
      } catch (error) {
        console.error(`\n${error.stack}\n`);
      }
      if (installedPackages() === packages) continue;
      console.log(
        "The frontend's packages have changed: its server is started again.",
      );
      stop(child);
      await ended;
      return undefined;
    }
  }
}

/**
 * Run Flask without its reloader, and anew whenever a file has changed on which it depends.
 *
 * A Flask that has ended by itself is a state that the page shows, until a change starts it
 * again.
 *
 * @param {Frontend} frontend
 * @param {Changes} changes the files that concern the API
 * @param {object} options
 * @param {Record<string, string>} options.env added to the environment
 * @param {string} options.label written before each line of its output
 * @param {{ host: string, port: string }} options.address where it listens
 * @returns {Promise<number>} its exit code, once somebody has killed it
 */
export async function runApi(frontend, changes, { env, label, address }) {
  const say = (text) => console.log(`${label} ${text}`);
  let isFirst = true;
  let hasOtherPackages = false;
  const take = async () => {
    const files = changes.take();
    hasOtherPackages ||= files.some(
      (file) => concernOf(file) === 'api packages',
    );
    await frontend.holdRequests();
    return files;
  };
  for (;;) {
    try {
      if (hasOtherPackages) await prepareApi();
      hasOtherPackages = false;
      await untilFree(address, (crash) => {
        frontend.tell({ api: 'ended', crash });
        say(crash.exception);
      });
      frontend.tell({ api: 'starting' });
      const server = start(apiCommand([...FLASK, '--no-reload', NO_DEBUGGER]), {
        env: {
          ...flaskEnv(address.port),
          ...env,
          FLASK_RUN_HOST: address.host,
          END_WITH_STDIN: '1',
          ...(isFirst ? {} : RESTARTED),
        },
        label,
        tied: true,
      });
      isFirst = false;
      const how = await Promise.race([server.ended, changes.come()]);
      if (!how) {
        say(`${namesOf(await take())} changed: the API starts again.`);
        stop(server.child);
        await server.ended;
        continue;
      }
      if (KILLED.includes(exitCode(how))) return exitCode(how);
      const crash = crashOf(how, server.child);
      frontend.tell({ api: 'ended', crash });
      say(`${crash.exception} ${crash.cure}`);
    } catch (error) {
      console.error(`\n${error.stack}\n`);
      const crash = { exception: error.message, traceback: '' };
      frontend.tell({ api: 'ended', crash });
    }
    await changes.come();
    await take();
  }
}

/**
 * Run Flask with its reloader, and anew when its settings or packages have changed.
 *
 * @param {string[]} args of `flask run`
 * @param {string} port where it listens, unless they say it
 * @returns {Promise<number>} its exit code
 */
export async function runReloadingApi(args, port) {
  const changes = new Changes();
  for (const name of AROUND_THE_API) {
    const file = path.join(ROOT, name);
    const look = { interval: LOOK_AGAIN_AFTER, persistent: false };
    fs.watchFile(file, look, (now, before) => {
      // It is called once for a file that is not there.
      if (now.mtimeMs !== before.mtimeMs) changes.add(file);
    });
  }
  for (;;) {
    const server = start(apiCommand([...FLASK, NO_DEBUGGER, ...args]), {
      env: flaskEnv(port),
    });
    const how = await Promise.race([server.ended, changes.come()]);
    if (how) return exitCode(how);
    console.log(`${namesOf(changes.take())} changed: the API starts again.`);
    stop(server.child);
    await server.ended;
    try {
      await prepareApi();
    } catch (error) {
      console.error(`\n${error.stack}\n`);
    }
  }
}

function flaskEnv(port) {
  return { ...apiEnv(), FLASK_RUN_PORT: port, PYTHONUNBUFFERED: '1' };
}

async function untilFree({ host, port }, tell) {
  let isTold = false;
  while (!(await isPortFree(Number(port), host))) {
    if (!isTold) {
      const exception = `Port ${port} is taken by another program.`;
      const cure =
        'Stop that program, and the API starts. Or set FLASK_RUN_PORT to another port, and run: npm run dev';
      tell({ exception, cure, traceback: '' });
    }
    isTold = true;
    await sleep(LOOK_AGAIN_AFTER);
  }
}

/** Tell of a process what an exception would have told. */
function crashOf(how, { said }) {
  const traceback = said.join('\n');
  const places = [...traceback.matchAll(/^ +File "(.+)", line (\d+)/gm)];
  const own = places.findLast(([, file]) => {
    const place = path.relative(ROOT, file);
    return !/^\.\.|^kit\b|site-packages/.test(place) && !path.isAbsolute(place);
  });
  return {
    exception: `The API's server ended (${how.signal ?? `exit code ${how.code}`}).`,
    cure: 'Save the fix, and it starts again.',
    traceback,
    ...(own && { file: own[1], line: Number(own[2]) }),
  };
}

function namesOf(files) {
  const names = files.slice(0, 3).map((file) => path.relative(ROOT, file));
  const more = files.length - names.length;
  const list = [...names, ...(more > 0 ? [`${more} more`] : [])].join(', ');
  return `${list} ${files.length > 1 ? 'have' : 'has'}`;
}
