/** Requests that wish for another protocol than HTTP/1.1. */
import http from 'node:http';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import { isHostAllowed, serveWithoutUpgrade } from '../vite/flask/upgrades.js';
import { HOST, listen } from './servers.js';

const H2C = [
  'Host: localhost',
  'Connection: Upgrade, HTTP2-Settings, X-Secret',
  'Upgrade: h2c',
  'HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA',
  'X-Secret: 1',
];

/** Start a server that answers with what it was asked, and ignores each wish. */
async function start() {
  const server = http.createServer(async (req, res) => {
    const { method, url, headers } = req;
    res.end(JSON.stringify({ method, url, headers, body: await text(req) }));
  });
  server.on('upgrade', (req, socket, head) =>
    serveWithoutUpgrade(server, req, socket, head),
  );
  return listen(server);
}

async function answerTo(port, ...chunks) {
  const socket = net.connect(port, HOST).setNoDelay();
  for (const chunk of chunks) {
    socket.write(chunk);
    // So that it arrives by itself.
    await new Promise((resolve) => setImmediate(resolve));
  }
  const [, body] = (await text(socket)).split('\r\n\r\n');
  return JSON.parse(body.match(/\{.*\}/s)[0]);
}

it('a request is answered as if it had no wish', async () => {
  const head = ['GET /time?a=%20b HTTP/1.1', ...H2C, '', ''].join('\r\n');
  const seen = await answerTo(await start(), head);
  expect(seen).toMatchObject({ method: 'GET', url: '/time?a=%20b', body: '' });
  expect(seen.headers).not.toHaveProperty('upgrade');
  expect(seen.headers).not.toHaveProperty('http2-settings');
  expect(seen.headers).toMatchObject({
    connection: 'close, x-secret',
    'x-secret': '1',
  });
});

it.each([
  ['with its head', ['Content-Length: 5'], ['hello']],
  ['after its head', ['Content-Length: 5'], ['', 'hel', 'lo']],
  [
    'in chunks',
    ['Transfer-Encoding: chunked'],
    ['3\r\nhel\r\n', '2\r\nlo\r\n0\r\n\r\n'],
  ],
])('a body arrives that comes %s', async (_, lines, [first, ...rest]) => {
  const head = ['POST / HTTP/1.1', ...H2C, ...lines, '', ''].join('\r\n');
  const seen = await answerTo(await start(), head + first, ...rest);
  expect(seen).toMatchObject({ method: 'POST', body: 'hello' });
});

it('each byte of a header arrives', async () => {
  const head = ['GET / HTTP/1.1', ...H2C, 'X-A: gr\xfc\xdf', '', ''];
  const bytes = Buffer.from(head.join('\r\n'), 'latin1');
  const { headers } = await answerTo(await start(), bytes);
  expect(headers['x-a']).toBe('gr\xfc\xdf');
});

describe('a WebSocket is refused by its Host', () => {
  it.each([
    ['localhost:3000', [], true],
    ['a.localhost', [], true],
    ['127.0.0.1:3000', [], true],
    ['[::1]:3000', [], true],
    ['LOCALHOST', [], true],
    ['app.example', ['app.example'], true],
    ['a.app.example:80', ['.app.example'], true],
    ['evil.example', true, true],
    ['evil.example', [], false],
    ['evil.example', ['app.example'], false],
    ['evilapp.example', ['.app.example'], false],
    ['localhost.evil.example', [], false],
    ['evil.example@localhost', [], false],
    ['evil.example#@localhost', [], false],
    ['localhost/evil.example', [], false],
    ['localhost, evil.example', [], false],
    ['localhost:3000:3000', [], false],
    ['[::1', [], false],
    ['', [], false],
    [undefined, [], false],
  ])('%s with %j: %s', (host, allowed, isAllowed) => {
    expect(isHostAllowed(host, allowed)).toBe(isAllowed);
  });
});
