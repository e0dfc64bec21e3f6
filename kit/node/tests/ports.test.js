import net from 'node:net';
import {
  cannotListen,
  findFreePort,
  isPortFree,
  portIsTaken,
} from '../lib/ports.js';

it('a port that is taken is named, and another one is found', async () => {
  const other = net.createServer();
  await new Promise((done) => other.listen(0, '127.0.0.1', done));
  const { port } = other.address();
  expect(await isPortFree(port, '127.0.0.1')).toBe(false);
  expect(portIsTaken(port, 'set PORT.').stack).toBe(
    `Port ${port} is taken by another program. Stop that program, or choose another port: set PORT.`,
  );
  expect(await findFreePort(port, '127.0.0.1')).not.toBe(port);
  await new Promise((done) => other.close(done));
  expect(await findFreePort(port, '127.0.0.1')).toBe(port);
});

it.each([
  '192.0.2.1',
  'x86_64-conda-linux-gnu',
  'localhost:3000',
  'no.such.host.invalid',
])('%s, which is no address of this machine, is named with its setting', async (host) => {
  const message =
    `FLASK_RUN_HOST=${host} is no address of this machine. ` +
    'Unset it, or set it to localhost; 0.0.0.0 is every address.';
  await expect(isPortFree(3000, host)).rejects.toThrow(message);
  await expect(findFreePort(3000, host)).rejects.toThrow(message);
  const names = { port: '--port', host: '--host' };
  await expect(isPortFree(3000, host, names)).rejects.toThrow(
    `--host=${host} is no`,
  );
});

it.each([
  ['EADDRNOTAVAIL', 'HOST=a is no address of this machine. '],
  ['ENOTFOUND', 'HOST=a is no address of this machine. '],
  ['EAI_AGAIN', 'HOST=a is no address of this machine. '],
  ['EACCES', 'PORT=80 is a port that you may not use here. '],
  ['EMFILE', 'as it was'],
])('%s of a server is a message', (code, message) => {
  const error = Object.assign(new Error('as it was'), { code });
  const names = { port: 'PORT', host: 'HOST' };
  expect(cannotListen(error, { port: 80, host: 'a' }, names).message).toContain(
    message,
  );
});
