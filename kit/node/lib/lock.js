import crypto from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { problem, ROOT } from './project.mjs';

/**
 * Do something that only one command at a time may do in this project; the others wait.
 *
 * @template T
 * @param {string} name of what is done, such as 'api'
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function alone(name, work) {
  const address = lockAddress(name);
  let release = await take(address);
  while (!release) {
    await untilReleased(address);
    release = await take(address);
  }
  try {
    return await work();
  } finally {
    release();
  }
}

/**
 * Tell at which local socket the one who is at work listens: it ends with the process.
 *
 * @param {string} name
 * @param {NodeJS.Platform} [platform]
 * @returns {string}
 */
export function lockAddress(name, platform = process.platform) {
  const user = os.userInfo().uid;
  const project = crypto
    .createHash('sha256')
    .update(ROOT + user)
    .digest('hex');
  // Short, because the path of a socket may have no more than 103 characters.
  const unique = `${project.slice(0, 8)}-${name}`;
  return platform === 'win32'
    ? `\\\\.\\pipe\\${unique}`
    : path.posix.join(os.tmpdir(), `${unique}.lock`);
}

/** Resolve to a function that lets the next one in; to undefined while another is at work. */
function take(address) {
  return new Promise((resolve, reject) => {
    const waiting = new Set();
    const server = net.createServer((socket) => {
      waiting.add(socket.on('error', () => {}));
    });
    server.once('error', (error) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    server.listen(address, () => {
      resolve(() => {
        server.close();
        for (const socket of waiting) socket.destroy();
      });
    });
  });
}

function untilReleased(address) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(address, () => {
      console.log('Waiting for another command, which installs …');
    });
    socket.once('error', (error) => {
      // Someone was killed and left the socket's file, or has just removed it.
      if (error.code === 'ECONNREFUSED') fs.rmSync(address, { force: true });
      else if (!['ENOENT', 'ECONNRESET'].includes(error.code)) {
        reject(
          problem(`${error.message}. If no command runs, delete the file.`),
        );
      }
    });
    socket.once('close', resolve);
    socket.resume();
  });
}
