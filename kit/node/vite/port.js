import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

// Cookies of localhost are shared by all its ports, and Node.js takes 16 KB only.
const LONGEST_HEADERS = 1 << 16;
const SHORT_WAIT = 300;
const LONGEST_RESTART = 5_000;
const HANDED_OVER = ['request', 'upgrade', 'clientError'];

/** @type {WeakMap<object, Door>} by what a restart of Vite keeps */
const doors = new WeakMap();

/**
 * Keep the page's port open while Vite restarts, as it does for an edit of vite.config.js:
 * requests wait for the new server, and none is refused or cut.
 *
 * Vite's own HTTP servers never listen: another one does, and hands over what it is asked.
 *
 * @returns {import('vite').Plugin} to be listed before what wraps `server.listen`
 */
export default function port() {
  return {
    name: 'port',
    apply: 'serve',
    async configureServer(server) {
      if (!server.httpServer) return;
      const { inlineConfig } = server.config;
      const door = doors.get(inlineConfig) ?? new Door();
      doors.set(inlineConfig, door);
      await door.leadTo(server);
    },
  };
}

/** The HTTP server that listens, for one of Vite's after the other. */
class Door {
  #listening;
  #place;
  #urls;
  #current;
  #former;
  #latest;
  #waiting = [];
  #asked = new Set();
  #sockets = new Set();

  /** Let a server of Vite be reached through this, from when it wants to listen. */
  async leadTo(server) {
    const { httpServer, config, listen } = server;
    const { port, host, https } = config.server;
    const place = { port, host, isSecure: Boolean(https) };
    this.#latest = httpServer;
    this.#hold();
    Object.assign(httpServer, {
      listen: (...where) => this.#open(httpServer, https, where),
      close: (done) => this.#close(httpServer, done),
      address: () => this.#listening?.address() ?? null,
    });
    server.listen = async (...args) => {
      if (isDeepStrictEqual(place, this.#place)) {
        // Vite would look whether the port is free, which it is not.
        const isListening = once(httpServer, 'listening');
        httpServer.listen();
        await isListening;
        server.resolvedUrls = this.#urls;
        return server;
      }
      this.#shut();
      await listen(...args);
      this.#place = place;
      this.#urls = server.resolvedUrls;
      return server;
    };
    const deadline = Date.now() + SHORT_WAIT;
    while (this.#asked.size > 0 && Date.now() < deadline) await sleep(5);
  }

  #open(httpServer, https, where) {
    if (this.#listening) {
      // A certificate that was renewed.
      if (https) this.#listening.setSecureContext(https);
      httpServer.emit('listening');
      this.#handTo(httpServer);
      return httpServer;
    }
    const limits = { maxHeaderSize: LONGEST_HEADERS };
    const server = https
      ? http2.createSecureServer({ ...limits, ...https, allowHTTP1: true })
      : http.createServer(limits);
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    server.on('request', (_req, res) => {
      this.#asked.add(res);
      res.on('close', () => this.#asked.delete(res));
    });
    for (const event of HANDED_OVER) {
      server.on(event, (...args) => {
        // Node.js has taken its own listener off such a connection.
        if (event === 'upgrade') args[1].on('error', () => args[1].destroy());
        if (this.#current) this.#current.emit(event, ...args);
        else this.#waiting.push([event, ...args]);
      });
    }
    server.on('error', (error) => httpServer.emit('error', error));
    server.listen(...where, () => {
      this.#listening = server;
      httpServer.emit('listening');
      this.#handTo(httpServer);
    });
    return httpServer;
  }

  /** Vite is about to restart, and its former server would call requests outdated. */
  #hold() {
    const former = this.#current;
    if (!former) return;
    this.#current = undefined;
    this.#former = former;
    // Where the new one could not be made, Vite goes on with the former.
    const takeBack = () => {
      if (this.#former !== former) return;
      this.#latest = former;
      this.#handTo(former);
    };
    setTimeout(takeBack, LONGEST_RESTART).unref();
  }

  #handTo(httpServer) {
    this.#former = undefined;
    this.#current = httpServer;
    for (const event of this.#waiting.splice(0)) httpServer.emit(...event);
  }

  #close(httpServer, done) {
    if (this.#current === httpServer) this.#current = undefined;
    if (this.#former === httpServer) this.#former = undefined;
    // Where Vite has not made another one, this is the end.
    if (this.#latest === httpServer) this.#shut();
    httpServer.emit('close');
    done?.();
    return httpServer;
  }

  #shut() {
    for (const socket of this.#sockets) socket.destroy();
    this.#listening?.close();
    this.#listening = undefined;
    this.#place = undefined;
  }
}
