import net from 'node:net';
import { findFreePort, isPortFree, portIsTaken } from '../lib/ports.js';

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

it('a port of an address that is not ours is a message', async () => {
  await expect(isPortFree(3000, '192.0.2.1')).rejects.toThrow(
    'Port 3000 cannot be used: ',
  );
});
