import net from 'node:net';
import { problem } from './project.js';

const OF_THE_API = { port: 'FLASK_RUN_PORT', host: 'FLASK_RUN_HOST' };

/**
 * Tell whether a server could listen on a port of this machine.
 *
 * @param {number} port
 * @param {string} host the address to be listened on
 * @param {{ port: string, host: string }} [names] of the settings that say so
 * @returns {Promise<boolean>}
 * @throws {Error} when it could not for another reason than another program
 */
export async function isPortFree(port, host, names = OF_THE_API) {
  return (await tryToListen(port, host, names)) !== undefined;
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
 * @throws {Error} when there is none, as for an address that is not of this machine
 */
export async function findFreePort(preferred, host) {
  return (
    (await tryToListen(preferred, host, OF_THE_API)) ??
    tryToListen(0, host, OF_THE_API)
  );
}

/**
 * Make the error for a place where no server can listen, whoever else does.
 *
 * @param {NodeJS.ErrnoException} error
 * @param {{ port: number, host: string }} place
 * @param {{ port: string, host: string }} names of the settings that say the place
 * @returns {Error} the same one where it has nothing to do with the place
 */
export function cannotListen(error, { port, host }, names) {
  if (error.code === 'EACCES') {
    return problem(
      `${names.port}=${port} is a port that you may not use here. Choose another one, above 1023.`,
    );
  }
  // A shell of conda sets HOST to the kind of this machine.
  if (/^(EADDRNOTAVAIL|EINVAL|ENOTFOUND|EAI_\w+)$/.test(error.code)) {
    return problem(
      `${names.host}=${host} is no address of this machine. ` +
        'Unset it, or set it to localhost; 0.0.0.0 is every address.',
    );
  }
  return error;
}

/** Listen for a moment; resolve to the port, or to undefined where it is taken. */
function tryToListen(port, host, names) {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', (error) =>
      error.code === 'EADDRINUSE'
        ? resolve(undefined)
        : reject(cannotListen(error, { port, host }, names)),
    );
    server.listen({ port, host }, () => {
      const bound = server.address().port;
      server.close(() => resolve(bound));
    });
  });
}
