import { EventEmitter, once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import readline from 'node:readline';
import { openRequest } from './proxy.js';

const LINK = '/__flask__';
const CONTENT_TYPE = 'application/x-ndjson';
const RETRY_AFTER = 100;
const LOOK_AGAIN_AFTER = 1_000;
const LONGEST_RESTART = 10_000;
const SHORT_WAIT = 1_000;

/**
 * Knows whether the API answers, by one request to it that stays open (react_flask_kit.development).
 *
 * Emits 'ready' each time that an API starts to answer: with its greeting, or with undefined
 * for one that does not know the link, such as a server in another language.
 */
export class FlaskLink extends EventEmitter {
  /** Whether something answers. */
  ready = false;
  /** What it is, where that is known not to be this project's API. */
  stranger;
  /** How a server calls itself that does not know the link. */
  server;
  /** Whether it fails, as Flask does when it cannot even import that module. */
  isBroken = false;

  #target;
  #root;
  #request;
  #timer;
  #wasReady = false;
  #isLinked = false;
  #lookedAt = 0;
  #lostAt = Number.NEGATIVE_INFINITY;

  /**
   * @param {URL} target the API's address
   * @param {string} root the project's folder
   */
  constructor(target, root) {
    super();
    this.setMaxListeners(0);
    this.#target = target;
    this.#root = root;
    this.connect();
  }

  /** Look for the API, also where it was believed to answer. */
  connect() {
    this.close();
    const request = openRequest(this.#target, {
      path: LINK,
      headers: { 'X-Flask-Link': 'vite' },
    });
    this.#request = request;
    request.on('error', () => {});
    request.on('close', () => {
      if (request === this.#request) this.#connectAfter(RETRY_AFTER);
    });
    request.on('response', async (response) => {
      const greeting = await readGreeting(response);
      if (request !== this.#request) return;
      if (greeting) {
        this.#greet(greeting);
      } else {
        this.#request = undefined;
        request.destroy();
        this.#meet(response);
      }
    });
    request.end();
  }

  /** Stop looking for the API. */
  close() {
    if (this.ready) this.#lostAt = Date.now();
    this.ready = false;
    clearTimeout(this.#timer);
    const request = this.#request;
    this.#request = undefined;
    request?.destroy();
  }

  /**
   * Wait until the API answers: for 10 s after it was last there, otherwise for one second;
   * without limit where `yarn dev` is starting it.
   *
   * @param {number} [limit] milliseconds to wait at the most
   * @returns {Promise<boolean>} whether it answers
   */
  whenReady(limit = Number.POSITIVE_INFINITY) {
    // A server without a link may have been replaced by Flask, unnoticed.
    const isStale = Date.now() - this.#lookedAt > LOOK_AGAIN_AFTER;
    if (this.ready && !this.#isLinked && isStale) this.connect();
    if (this.ready) return Promise.resolve(true);
    const wait = Math.min(limit, this.#patience());
    return new Promise((resolve) => {
      const settle = () => {
        clearTimeout(timer);
        this.off('ready', settle);
        resolve(this.ready);
      };
      const timer = Number.isFinite(wait)
        ? setTimeout(settle, wait)
        : undefined;
      this.on('ready', settle);
    });
  }

  #patience() {
    if (process.env.API_IS_STARTING && !this.#wasReady) {
      return Number.POSITIVE_INFINITY;
    }
    return Math.max(this.#lostAt + LONGEST_RESTART - Date.now(), SHORT_WAIT);
  }

  #connectAfter(milliseconds) {
    this.close();
    this.#timer = setTimeout(() => this.connect(), milliseconds);
  }

  #greet(greeting) {
    const { ino } =
      fs.statSync(this.#root, { bigint: true, throwIfNoEntry: false }) ?? {};
    // Another machine, such as a container, has other numbers.
    const isOurs =
      greeting.host !== os.hostname() || greeting.inode === String(ino);
    this.#becomeReady(
      isOurs ? undefined : `the API of another project, ${greeting.project}`,
      greeting,
    );
  }

  #meet({ statusCode, headers: { server = 'unnamed' } }) {
    const isAirPlay = server.startsWith('AirTunes');
    this.server = server;
    this.isBroken = statusCode >= 500;
    this.#becomeReady(
      isAirPlay ? `macOS's AirPlay Receiver (Server: ${server})` : undefined,
    );
    if (isAirPlay || this.isBroken) {
      this.#timer = setTimeout(() => this.connect(), LOOK_AGAIN_AFTER);
    }
  }

  #becomeReady(stranger, greeting) {
    this.ready = true;
    this.stranger = stranger;
    this.#lookedAt = Date.now();
    this.#isLinked = greeting !== undefined;
    this.#wasReady ||= !stranger;
    this.emit('ready', greeting);
  }
}

/** Read the first line of the link; undefined from a server that has no link. */
async function readGreeting(response) {
  response.on('error', () => {});
  if (response.headers['content-type'] !== CONTENT_TYPE) return undefined;
  const lines = readline.createInterface({ input: response });
  lines.on('error', () => {});
  try {
    const [line] = await once(lines, 'line');
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
