import net from 'node:net';
import { problem } from './project.js';

/**
 * Tell whether a server could listen on a port of this machine.
 *
 * @param {number} port
 * @param {string} host the address to be listened on
 * @returns {Promise<boolean>}
 */
export async function isPortFree(port, host) {
  return (await tryToListen(port, host)) !== undefined;
}

/**
 * Make the error for a port that another program listens on.
 *
 * @param {number} port
 * @param {string} wayOut how to choose another one
 * @returns {Error}
 */
export function portIsTaken(port, wayOut) {
  return problem(
    `Port ${port} is taken by another program. ` +
      `Stop that program, or choose another port: ${wayOut}`,
  );
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
      error.code === 'EADDRINUSE'
        ? resolve(undefined)
        : reject(problem(`Port ${port} cannot be used: ${error.message}`)),
    );
    server.listen({ port, host }, () => {
      const bound = server.address().port;
      server.close(() => resolve(bound));
    });
  });
}
