/** What passes between a client and the API, at a small server that stands in for the API. */
import http from 'node:http';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import { ask, pass, passUpgrade } from '../vite/flask/proxy.js';
import { HOST, listen } from './servers.js';

/** Start an API that answers with what it was asked, and a server in front that passes on. */
async function start({ isLinked = false, answer = {} } = {}) {
  const api = http.createServer(async (req, res) => {
    const { method, url, headers } = req;
    const body = await text(req);
    res.writeHead(200, answer);
    res.end(JSON.stringify({ method, url, headers, body }));
  });
  api.on('upgrade', ({ headers }, socket) => {
    const told = Buffer.from(JSON.stringify(headers)).toString('base64');
    socket.end(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Seen: ${told}\r\n\r\n`,
    );
  });
  const target = new URL(`http://${HOST}:${await listen(api)}`);
  const front = http.createServer(async (req, res) => {
    req.originalUrl = req.url;
    const find = async () => false;
    pass(await ask(target, req, res, { find, isLinked: () => isLinked }), res);
  });
  front.on('upgrade', (req, socket, head) =>
    passUpgrade(target, req, socket, head, isLinked),
  );
  return { target, port: await listen(front) };
}

/** Send a request as it stands; give the head of the answer, and its body. */
async function send(port, request, body = '') {
  const socket = net.connect(port, HOST);
  socket.write(`${request.join('\r\n')}\r\n\r\n${body}`);
  const [head, ...rest] = (await text(socket)).split('\r\n\r\n');
  return { head, rest: rest.join('\r\n\r\n') };
}

async function seenBy(port, lines, { body, path = '/' } = {}) {
  const request = [`POST ${path} HTTP/1.1`, 'Host: page.example:8080'];
  const length = body ? [`Content-Length: ${body.length}`] : [];
  const all = [...request, ...length, ...lines];
  const { rest } = await send(port, all, body);
  const [seen] = rest.match(/\{.*\}/s);
  return JSON.parse(seen);
}

describe('headers that Connection names', () => {
  it.each([
    ['one', ['Connection: close, X-Secret']],
    ['several, in any case', ['Connection: CLOSE ,x-SECRET,x-more']],
    ['in two headers', ['Connection: close', 'connection: X-Secret']],
  ])('are not passed on to the API: %s', async (_, lines) => {
    const { port } = await start();
    const { headers } = await seenBy(port, [...lines, 'x-Secret: 1', 'X-A: 2']);
    expect(headers).not.toHaveProperty('x-secret');
    expect(headers).toHaveProperty('x-a', '2');
  });

  it('are not passed on to the client', async () => {
    const answer = { Connection: 'X-Secret, close', 'X-Secret': '1', 'X-A': 2 };
    const { port } = await start({ answer });
    const request = ['GET / HTTP/1.1', 'Host: a', 'Connection: close'];
    const { head } = await send(port, request);
    expect(head).not.toMatch(/^x-secret/im);
    expect(head).toMatch(/^x-a: 2$/im);
  });

  it('are passed on where they make the message whole', async () => {
    const { port } = await start();
    const lines = ['Connection: close, Host, Content-Length'];
    const seen = await seenBy(port, lines, { body: 'hello' });
    expect(seen.body).toBe('hello');
    expect(seen.headers).toHaveProperty('content-length', '5');
    expect(seen.headers).toHaveProperty('host', 'page.example:8080');
  });

  it('are not passed on with a WebSocket', async () => {
    const { port } = await start();
    const { head } = await send(port, [
      'GET / HTTP/1.1',
      'Host: a',
      'Connection: Upgrade, X-Secret',
      'Upgrade: websocket',
      'X-Secret: 1',
    ]);
    const told = /X-Seen: (.*)/.exec(head)[1];
    const headers = JSON.parse(Buffer.from(told, 'base64'));
    expect(headers).toMatchObject({
      connection: 'Upgrade',
      upgrade: 'websocket',
    });
    expect(headers).not.toHaveProperty('x-secret');
  });
});

describe('an API that has greeted', () => {
  const lines = ['Connection: close', 'X-Flask-Link: forged'];

  it('is asked by its own name, and told the name of the page', async () => {
    const { target, port } = await start({ isLinked: true });
    const { headers } = await seenBy(port, lines);
    expect(headers).toMatchObject({
      host: target.host,
      'x-flask-link': 'vite',
      'x-forwarded-host': 'page.example:8080',
      'x-forwarded-proto': 'http',
      'x-forwarded-port': '8080',
      'x-forwarded-for': HOST,
    });
  });

  it('is told the same with a WebSocket', async () => {
    const { target, port } = await start({ isLinked: true });
    const { head } = await send(port, [
      'GET / HTTP/1.1',
      'Host: page.example',
      'Connection: Upgrade',
      'Upgrade: websocket',
      'X-Flask-Link: forged',
    ]);
    const told = /X-Seen: (.*)/.exec(head)[1];
    expect(JSON.parse(Buffer.from(told, 'base64'))).toMatchObject({
      host: target.host,
      'x-flask-link': 'vite',
      'x-forwarded-host': 'page.example',
    });
  });

  it('is the only one that is told', async () => {
    const { port } = await start();
    const { headers } = await seenBy(port, lines);
    expect(headers).toHaveProperty('host', 'page.example:8080');
    expect(headers).not.toHaveProperty('x-flask-link');
  });
});

it.each([
  ['a tunnel', 'https', 'name.example', '443'],
  ['a tunnel with a port', 'https', 'name.example:8443', '8443'],
  ['plain http', 'http', 'name.example', '80'],
])('what %s says of the browser is kept', async (_, proto, host, port) => {
  const { port: front } = await start({ isLinked: true });
  const { headers } = await seenBy(front, [
    'Connection: close',
    `X-Forwarded-Proto: ${proto}`,
    `X-Forwarded-Host: ${host}`,
    'X-Forwarded-For: 9.9.9.9',
  ]);
  expect(headers).toMatchObject({
    'x-forwarded-proto': proto,
    'x-forwarded-host': host,
    'x-forwarded-port': port,
    'x-forwarded-for': `9.9.9.9, ${HOST}`,
  });
});

it.each([
  ['http://evil.example/a?b=//c', '/a?b=//c'],
  ['http://evil.example', '/'],
  ['http://evil.example?a', '/?a'],
  ['//evil.example/a', '//evil.example/a'],
  ['/a?b=http://c/', '/a?b=http://c/'],
])('of %s the API is asked for %s', async (path, url) => {
  const { port } = await start();
  const seen = await seenBy(port, ['Connection: close'], { path });
  expect(seen.url).toBe(url);
});
