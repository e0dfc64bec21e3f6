import { EventEmitter } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import readline from 'node:readline';
import { openRequest } from './proxy.js';

const LINK = '/__flask__';
const CONTENT_TYPE = 'application/x-ndjson';
const RETRY_AFTER = 100;
// Of the launcher it is known that it has started the API.
const RETRY_SOON = 20;
const LOOK_AGAIN_AFTER = 1_000;
const LONGEST_RESTART = 10_000;
const SHORT_WAIT = 1_000;

/**
 * Knows whether the API answers, by one request to it that stays open (react_flask_kit.development).
 *
 * Emits 'ready' each time that an API starts to answer: with its greeting, or with undefined
 * for one that does not know the link, such as a server in another language. Emits 'crash'
 * for an exception that no answer tells, with `crash` and the `request` during which it was.
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
  /** What it said first, if it knows the link. */
  greeting;
  /** Whether nobody looks for it any more. */
  isClosed = false;
  /** Why its process ended, where the launcher knows it. */
  crash;

  #target;
  #root;
  #request;
  #timer;
  #isLinked = false;
  #former;
  #isHeld = false;
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
    this.#disconnect();
    const request = openRequest(this.#target, {
      path: LINK,
      headers: { 'X-Flask-Link': 'vite' },
    });
    this.#request = request;
    request.on('error', () => {});
    request.on('close', () => {
      if (request === this.#request) this.#connectAgain();
    });
    request.on('response', async (response) => {
      const lines = linesOf(response);
      const { value: greeting } = await lines.next();
      if (request !== this.#request) return;
      if (!greeting) {
        this.#request = undefined;
        request.destroy();
        this.#meet(response);
        return;
      }
      this.#greet(greeting);
      for await (const said of lines) {
        if (said.crash && request === this.#request) this.emit('crash', said);
      }
    });
    request.end();
  }

  /** Stop looking for the API, and let nobody wait for it. */
  close() {
    this.#disconnect();
    this.isClosed = true;
    this.emit('ended');
  }

  #disconnect() {
    if (this.ready) this.#lostAt = Date.now();
    this.ready = false;
    clearTimeout(this.#timer);
    const request = this.#request;
    this.#request = undefined;
    request?.destroy();
  }

  /** Let requests wait for another process than the one that answers now. */
  hold() {
    this.#former = this.greeting?.process;
    this.#isHeld = true;
    this.crash = undefined;
    this.ready = false;
  }

  /** Look for the process that was just started. */
  expect() {
    if (this.isClosed) return;
    this.#isHeld = false;
    this.crash = undefined;
    if (!this.ready) this.connect();
  }

  /**
   * Let nobody wait for a process that has ended and is not started again.
   *
   * @param {object} crash as react_flask_kit.errors describes one
   */
  giveUp(crash) {
    this.#disconnect();
    this.#isHeld = false;
    this.crash = crash;
    this.emit('ended', crash);
  }

  /**
   * Wait until the API answers: for 10 s after it was last there, otherwise for one second;
   * without limit where `npm run dev` starts it.
   *
   * @param {number} [limit] milliseconds to wait at the most
   * @returns {Promise<boolean>} whether it answers
   */
  whenReady(limit = Number.POSITIVE_INFINITY) {
    // A server without a link may have been replaced by Flask, unnoticed.
    const isStale = Date.now() - this.#lookedAt > LOOK_AGAIN_AFTER;
    if (this.ready && !this.#isLinked && isStale) this.connect();
    if (this.ready || this.crash || this.isClosed) {
      return Promise.resolve(this.ready);
    }
    const wait = Math.min(limit, this.#patience());
    return new Promise((resolve) => {
      const settle = () => {
        clearTimeout(timer);
        this.off('ready', settle);
        this.off('ended', settle);
        resolve(this.ready);
      };
      const timer = Number.isFinite(wait)
        ? setTimeout(settle, wait)
        : undefined;
      this.on('ready', settle);
      this.on('ended', settle);
    });
  }

  #patience() {
    if (process.env.API_IS_STARTING) return Number.POSITIVE_INFINITY;
    return Math.max(this.#lostAt + LONGEST_RESTART - Date.now(), SHORT_WAIT);
  }

  #connectAgain() {
    this.#disconnect();
    const wait = process.env.API_IS_STARTING ? RETRY_SOON : RETRY_AFTER;
    this.#timer = setTimeout(() => this.connect(), wait);
  }

  #greet(greeting) {
    if (this.#isHeld) return;
    if (this.#former && greeting.process === this.#former) return;
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
    this.greeting = greeting;
    this.#lookedAt = Date.now();
    this.#isLinked = greeting !== undefined;
    this.emit('ready', greeting);
  }
}

/** Read the lines of the link as they come; none from a server that has no link. */
async function* linesOf(response) {
  response.on('error', () => {});
  if (response.headers['content-type'] !== CONTENT_TYPE) return;
  const lines = readline.createInterface({ input: response });
  lines.on('error', () => {});
  try {
    for await (const line of lines) if (line) yield JSON.parse(line);
  } catch {
    // It was cut, or is no JSON after all.
  }
}
