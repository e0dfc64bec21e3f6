import { EventEmitter } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import readline from 'node:readline';
import { openRequest } from './flask-proxy.js';

const PATH = '/__flask__';
const CONTENT_TYPE = 'application/x-ndjson';
const RETRY_AFTER = 100;
const LOOK_AGAIN_AFTER = 1_000;
const LONGEST_RESTART = 10_000;
const SHORT_WAIT = 1_000;

/**
 * Knows whether the API answers, by one request to it that stays open (api/development.py).
 *
 * Emits 'ready' each time that an API starts to answer: with its greeting, or with undefined
 * for one that does not know the link, such as a server in another language.
 */
export class FlaskLink extends EventEmitter {
  /** Whether something answers. */
  ready = false;
  /** What it is, where that is known not to be this project's API. */
  stranger;

  #target;
  #root;
  #request;
  #timer;
  #wasReady = false;
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
    const request = openRequest(this.#target, { path: PATH });
    this.#request = request;
    request.on('error', () => {});
    request.on('close', () => {
      if (request === this.#request) this.#connectAfter(RETRY_AFTER);
    });
    request.on('response', (response) => {
      response.on('error', () => {});
      if (response.headers['content-type'] === CONTENT_TYPE) {
        const lines = readline.createInterface({ input: response });
        lines.on('error', () => {});
        lines.once('line', (line) => this.#greet(JSON.parse(line)));
      } else {
        this.#request = undefined;
        response.resume();
        this.#meet(response.headers.server ?? '');
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
    const isOurs =
      greeting.host !== os.hostname() ||
      greeting.project === fs.realpathSync.native(this.#root);
    this.#becomeReady(
      isOurs ? undefined : `the API of another project, ${greeting.project}`,
      greeting,
    );
  }

  #meet(server) {
    if (server.startsWith('AirTunes')) {
      this.#becomeReady(`macOS's AirPlay Receiver (Server: ${server})`);
      this.#timer = setTimeout(() => this.connect(), LOOK_AGAIN_AFTER);
    } else {
      this.#becomeReady();
    }
  }

  #becomeReady(stranger, greeting) {
    this.ready = true;
    this.stranger = stranger;
    this.#wasReady ||= !stranger;
    this.emit('ready', greeting);
  }
}
