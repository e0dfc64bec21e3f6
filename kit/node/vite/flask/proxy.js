import http from 'node:http';
import https from 'node:https';
import { pipeline } from 'node:stream';
import { buffer } from 'node:stream/consumers';

// What speaks of one connection only (RFC 9110, section 7.6.1), and what Vite and Flask tell each other.
const NOT_PASSED_ON = new Set([
  'connection',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-flask-link',
  'x-flask-route',
]);
// What says where a message belongs and where it ends, whatever Connection names.
const ALWAYS_PASSED_ON = new Set(['host', 'content-length']);
const SMALL = 1 << 20;
const LONGEST_HEADERS = 1 << 16;
const CUT = new Set(['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE']);
const LOOPBACK = /^(localhost|127\.[\d.]+|\[::1\])$/;

/**
 * Open a request to the API on a connection of its own: one that was kept could be closed by
 * a restart just when it is used, and nobody knew whether a POST had been taken.
 *
 * @param {URL} target the API's address
 * @param {http.RequestOptions} options path, method and headers
 * @returns {http.ClientRequest}
 */
export function openRequest(target, options) {
  const { request } = target.protocol === 'https:' ? https : http;
  return request({
    host: target.hostname.replace(/^\[|\]$/g, ''),
    port: target.port,
    servername: target.hostname,
    agent: false,
    maxHeaderSize: LONGEST_HEADERS,
    // A staging server's certificate is not for this machine to judge.
    rejectUnauthorized: false,
    ...options,
  });
}

/**
 * Ask the API what a client asked.
 *
 * A GET or HEAD that a restart cut is asked once more; nothing else is sent twice. To notice
 * a cut in time, the small answer to a GET is read whole; all else is left to be streamed.
 *
 * @param {URL} target the API's address
 * @param {http.IncomingMessage} req its body is streamed
 * @param {http.ServerResponse} res when its client leaves, the API notices
 * @param {object} api
 * @param {() => Promise<boolean>} api.find waits for the API where it went away
 * @param {() => boolean} api.isLinked whether it has greeted by the link
 * @returns {Promise<http.IncomingMessage & { body?: Buffer }>} the answer's headers, and its
 *   body where that has been read
 * @throws {Error} with code ECONNREFUSED when there is no API; with another one when it went
 *   away, or said what cannot be understood
 */
export async function ask(target, req, res, api) {
  const isRepeatable = /^(GET|HEAD)$/.test(req.method) && !hasBody(req);
  for (let attempt = 1; ; attempt++) {
    try {
      const answer = await send(target, req, res, api.isLinked());
      const isSmall = answer.headers['content-length'] < SMALL;
      if (isRepeatable && isSmall) answer.body = await buffer(answer);
      return answer;
    } catch (error) {
      if (res.closed) throw error;
      const isCut = CUT.has(error.code) && isRepeatable && attempt === 1;
      const isWorthAnother = error.code === 'ECONNREFUSED' || isCut;
      if (!isWorthAnother || !(await api.find())) throw error;
    }
  }
}

function hasBody({ headers, httpVersionMajor, stream }) {
  return (
    'content-length' in headers ||
    'transfer-encoding' in headers ||
    (httpVersionMajor === 2 && !stream.endAfterHeaders)
  );
}

function send(target, req, res, isLinked) {
  return new Promise((resolve, reject) => {
    // Who left while Flask was awaited asks for nothing any more.
    if (res.closed) throw new Error('The client has gone.');
    const request = openRequest(target, {
      path: originForm(req.originalUrl),
      method: req.method,
      headers: requestHeaders(target, req, isLinked),
    });
    request.on('response', resolve);
    request.on('error', reject);
    res.on('close', () => request.destroy());
    if (!hasBody(req)) {
      request.end();
      return;
    }
    request.on('socket', (socket) => {
      // Until it is connected nothing of the body is taken, so that it can wait for Flask.
      socket.once('connect', () => req.pipe(request));
    });
  });
}

/**
 * Pass the API's answer on to the client, as it comes.
 *
 * @param {http.IncomingMessage & { body?: Buffer }} answer
 * @param {http.ServerResponse} res
 */
export function pass(answer, res) {
  res.writeHead(answer.statusCode, endToEnd(answer.rawHeaders));
  if (answer.body) {
    res.end(answer.body);
    return;
  }
  // Server-sent events begin with headers and, for a while, nothing else.
  res.flushHeaders();
  pipeline(answer, res, () => {});
}

/**
 * Connect a WebSocket with the API.
 *
 * @param {URL} target the API's address
 * @param {http.IncomingMessage} req
 * @param {import('node:net').Socket} socket
 * @param {Buffer} clientHead what the client sent ahead
 * @param {boolean} isLinked whether the API has greeted by the link
 */
export function passUpgrade(target, req, socket, clientHead, isLinked) {
  const { upgrade } = req.headers;
  const headers = requestHeaders(target, req, isLinked);
  const request = openRequest(target, {
    path: originForm(req.url),
    method: req.method,
    headers: { ...headers, connection: 'Upgrade', upgrade },
  });
  socket.on('close', () => request.destroy());
  request.on('error', () => socket.destroy());
  request.on('response', (answer) => {
    socket.write(head(answer, 'Connection: close'));
    pipeline(answer, socket, () => {});
  });
  request.on('upgrade', (answer, upstream, upstreamHead) => {
    const { upgrade: protocol } = answer.headers;
    socket.write(head(answer, 'Connection: Upgrade', `Upgrade: ${protocol}`));
    socket.write(upstreamHead);
    upstream.write(clientHead);
    pipeline(upstream, socket, () => {});
    pipeline(socket, upstream, () => {});
  });
  request.end();
}

function requestHeaders(target, req, isLinked) {
  const { headers, socket } = req;
  const host = headers.host ?? headers[':authority'] ?? target.host;
  const ofConnection = connectionOptions(headers.connection);
  const passedOn = Object.entries(headers).filter(
    ([name]) => isEndToEnd(name, ofConnection) && !name.startsWith(':'),
  );
  const forwarded = {
    'x-forwarded-proto': socket.encrypted ? 'https' : 'http',
    'x-forwarded-host': host,
    ...Object.fromEntries(passedOn),
  };
  const client = [forwarded['x-forwarded-for'], socket.remoteAddress];
  // On this machine both are one site; another one expects its own name.
  const isOneSite = !isLinked && LOOPBACK.test(target.hostname);
  return {
    'x-forwarded-port': portOf(forwarded),
    ...forwarded,
    'x-forwarded-for': client.filter(Boolean).join(', '),
    host: isOneSite ? host : target.host,
    // The API then believes what is said of the client.
    ...(isLinked && { 'x-flask-link': 'vite' }),
    ...(hasBody(req) &&
      !('content-length' in headers) && { 'transfer-encoding': 'chunked' }),
  };
}

/** Leave out a host, which Flask would take for the one that was allowed to ask. */
function originForm(url) {
  return url.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?]*(?=(.?))/i, (_, next) =>
    next === '/' ? '' : '/',
  );
}

/** Tell the port that the browser asked, which is not ours where a client in front has another. */
function portOf({ 'x-forwarded-proto': proto, 'x-forwarded-host': host }) {
  const scheme = proto === 'https' ? 'https' : 'http';
  const address = `${scheme}://${host}`;
  const port = URL.canParse(address) && new URL(address).port;
  return port || (scheme === 'https' ? '443' : '80');
}

function endToEnd(rawHeaders) {
  const values = rawHeaders.filter(
    (_, i) => i % 2 && rawHeaders[i - 1].toLowerCase() === 'connection',
  );
  const ofConnection = connectionOptions(values.join());
  const kept = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (isEndToEnd(rawHeaders[i].toLowerCase(), ofConnection)) {
      kept.push(rawHeaders[i], rawHeaders[i + 1]);
    }
  }
  return kept;
}

/**
 * Read the header Connection: it names others that are for the next server alone.
 *
 * @param {string} [value]
 * @returns {Set<string>} in lower case
 */
export function connectionOptions(value = '') {
  const names = value.toLowerCase().split(',');
  return new Set(names.map((name) => name.trim()));
}

function isEndToEnd(name, ofConnection) {
  return (
    !NOT_PASSED_ON.has(name) &&
    (ALWAYS_PASSED_ON.has(name) || !ofConnection.has(name))
  );
}

function head({ statusCode, statusMessage, rawHeaders }, ...more) {
  const headers = endToEnd(rawHeaders);
  const lines = [`HTTP/1.1 ${statusCode} ${statusMessage}`];
  for (let i = 0; i < headers.length; i += 2) {
    lines.push(`${headers[i]}: ${headers[i + 1]}`);
  }
  return `${[...lines, ...more].join('\r\n')}\r\n\r\n`;
}
