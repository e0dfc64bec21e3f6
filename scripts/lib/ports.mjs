import net from 'node:net';
import { problem } from './project.mjs';

/**
 * Stop here when a port is taken, and say how to go on.
 *
 * @param {number} port
 * @param {string} host the address to be listened on
 * @param {string} wayOut what the user can do besides stopping the other program
 * @throws {Error} when the port is taken
 */
export async function assertPortIsFree(port, host, wayOut) {
  if ((await tryToListen(port, host)) === undefined) {
    throw problem(
      `Port ${port} is taken by another program. Stop that program, or ${wayOut}`,
    );
  }
}

/**
 * Find a port that nothing listens on.
 *
 * @param {number} preferred chosen if it is free
 * @param {string} host the address to be listened on
 * @returns {Promise<number>}
 */
export async function findFreePort(preferred, host) {
  return (await tryToListen(preferred, host)) ?? tryToListen(0, host);
}

/** Listen for a moment; resolve to the port, or to undefined where it is taken. */
function tryToListen(port, host) {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', (error) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    server.listen({ port, host }, () => {
      const bound = server.address().port;
      server.close(() => resolve(bound));
    });
  });
}
