import { setTimeout as sleep } from 'node:timers/promises';

const SHORT_WAIT = 300;
const LONG_WAIT = 3_000;

/**
 * Do what the launcher says of the API's process, which it starts and ends under `npm run dev`.
 *
 * @param {import('vite').ViteDevServer} server
 * @param {import('./link.js').FlaskLink} link
 */
export function followRestarts({ httpServer }, link) {
  const listener = async ({ api, crash }) => {
    if (api === 'starting') link.expect();
    if (api === 'ended') link.giveUp(crash);
    if (api !== 'restarting') return;
    link.hold();
    await requests.end();
    if (process.connected) process.send({ quiet: true });
  };
  process.on('message', listener);
  httpServer.on('close', () => process.off('message', listener));
}

/**
 * Let the server answer that comes after a restart of Vite.
 *
 * @param {import('node:http').IncomingMessage} req
 * @param {import('node:http').ServerResponse} res
 */
export function askNextVite(req, res) {
  req.url = req.originalUrl;
  req.socket.server.emit('request', req, res);
}

/** The requests that the API is answering. */
class Requests {
  #all = new Map();

  /**
   * Note one, until it is answered.
   *
   * @param {import('node:http').IncomingMessage} req
   * @param {import('node:http').ServerResponse} res
   */
  add(req, res) {
    this.#all.set(res, /^(GET|HEAD)$/.test(req.method));
    res.on('close', () => this.forget(res));
  }

  /** Forget one that may be cut, such as a stream of events, which comes again. */
  forget(res) {
    this.#all.delete(res);
  }

  /** Wait for them: a moment for what can be asked again, and longer for what cannot. */
  async end() {
    const deadline = Date.now() + LONG_WAIT;
    const patience = Date.now() + SHORT_WAIT;
    const isWorthIt = () => {
      const canAllBeRepeated = [...this.#all.values()].every(Boolean);
      return Date.now() < (canAllBeRepeated ? patience : deadline);
    };
    while (this.#all.size > 0 && isWorthIt()) await sleep(5);
  }
}

/** Of all of Vite's servers: while it restarts, there are two. */
export const requests = new Requests();
