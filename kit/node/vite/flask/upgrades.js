import { isIP } from 'node:net';
import path from 'node:path';
import { connectionOptions, passUpgrade } from './proxy.js';

const NO_WEBSOCKETS =
  'WebSockets are not served in production: see the README of react-flask-kit.';
const OF_UPGRADE = ['connection', 'upgrade', 'http2-settings'];
const HOST = /^[\w.-]+(:\d+)?$|^\[[\da-f:.]+\](:\d+)?$/i;

/**
 * Pass WebSockets on to the API; a request for any other protocol is answered as if it did not
 * ask for one (RFC 9110, section 7.8).
 *
 * @param {import('vite').ViteDevServer} server
 * @param {URL} target the API's address
 * @param {import('./link.js').FlaskLink} link
 * @param {boolean} webSockets whether they reach an app with the kit
 */
export function passUpgrades(server, target, link, webSockets) {
  const { httpServer, config } = server;
  const { allowedHosts, ws } = config.server;
  const placeOfVite = path.posix.join(config.base, ws?.path ?? '');

  async function upgrade(req, socket, head) {
    const { upgrade: protocol, host } = req.headers;
    if (!/^websocket$/i.test(protocol)) {
      // That one listens, and outlives a restart of Vite.
      const listening = socket.server ?? httpServer;
      return serveWithoutUpgrade(listening, req, socket, head);
    }
    if (isForVite(req, placeOfVite)) return;
    socket.on('error', () => socket.destroy());
    const refuse = (status) =>
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
    if (!isHostAllowed(host, allowedHosts)) return refuse('403 Forbidden');
    const isReady = (await link.whenReady()) && !link.stranger;
    if (!isReady) return refuse('503 Service Unavailable');
    if (link.greeting && !webSockets) {
      config.logger.warn(`${req.url}: ${NO_WEBSOCKETS}`);
      return refuse('501 Not Implemented');
    }
    if (socket.destroyed) return;
    passUpgrade(target, req, socket, head, Boolean(link.greeting));
  }

  httpServer.on('upgrade', (req, socket, head) => {
    upgrade(req, socket, head).catch(() => socket.destroy());
  });
}

/** Vite answers these itself, and nobody else's that call themselves so. */
function isForVite({ headers, url }, place) {
  const [pathname] = url.split('?');
  return (
    ['vite-hmr', 'vite-ping'].includes(headers['sec-websocket-protocol']) &&
    pathname === place
  );
}

/**
 * Let a server read a request once more, without its wish for another protocol.
 *
 * Node.js gives a connection away once it has read "Upgrade", so it is handed in again as a
 * new one, with what was read put back.
 *
 * @param {import('node:http').Server} httpServer
 * @param {import('node:http').IncomingMessage} req
 * @param {import('node:net').Socket} socket
 * @param {Buffer} head what the client sent after the headers
 */
export function serveWithoutUpgrade(httpServer, req, socket, head) {
  const { method, url, httpVersion, rawHeaders } = req;
  const ofConnection = connectionOptions(req.headers.connection);
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (!OF_UPGRADE.includes(rawHeaders[i].toLowerCase())) {
      lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
    }
  }
  // What else it names is for the one who reads this; and a next request finds who listens then.
  const others = [...ofConnection].filter(
    (name) => name && !['close', 'keep-alive', ...OF_UPGRADE].includes(name),
  );
  lines.push(`Connection: ${['close', ...others].join(', ')}`);
  const text = `${lines.join('\r\n')}\r\n\r\n`;
  socket.unshift(Buffer.concat([Buffer.from(text, 'latin1'), head]));
  httpServer.emit(socket.encrypted ? 'secureConnection' : 'connection', socket);
}

/**
 * Keep other websites out, as Vite does for requests: a name of theirs can lead here.
 *
 * @param {string | undefined} host the header
 * @param {true | string[]} allowed Vite's `server.allowedHosts`
 * @returns {boolean}
 */
export function isHostAllowed(host = '', allowed) {
  if (allowed === true) return true;
  if (!HOST.test(host) || !URL.canParse(`http://${host}`)) return false;
  const name = new URL(`http://${host}`).hostname;
  return (
    isIP(name.replace(/^\[|\]$/g, '')) !== 0 ||
    [...allowed, 'localhost', '.localhost'].some(
      (entry) => name === entry.replace(/^\./, '') || isBelow(name, entry),
    )
  );
}

function isBelow(name, entry) {
  return entry.startsWith('.') && name.endsWith(entry);
}
