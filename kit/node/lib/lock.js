import crypto from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from './project.js';

const LOOK_AGAIN_AFTER = 100;
// <fcntl.h> of macOS and the BSDs; Node.js names neither.
const O_EXLOCK = 0x20;
const O_NONBLOCK = 0x4;

/**
 * Do something that only one command at a time may do in this project; the others wait.
 *
 * The lock belongs to a process, and the system takes it back when that ends: there is no
 * file that could be left behind.
 *
 * @template T
 * @param {string} name of what is done, such as 'api'
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function alone(name, work) {
  const place = lockPlace(name);
  let release = await take(place);
  if (!release) console.log('Waiting for another command, which installs …');
  while (!release) {
    await sleep(LOOK_AGAIN_AFTER);
    release = await take(place);
  }
  try {
    return await work();
  } finally {
    await release();
  }
}

/**
 * Tell what a platform can lock: a socket without a file, or a file.
 *
 * @param {string} name
 * @param {NodeJS.Platform} [platform]
 * @returns {{ socket: string } | { file: string }}
 */
export function lockPlace(name, platform = process.platform) {
  // Not every user of a container has a name.
  const user = process.getuid?.() ?? os.userInfo().username;
  const project = crypto.createHash('sha256').update(`${ROOT}\n${user}`);
  const unique = `react-flask-kit-${project.digest('hex').slice(0, 16)}-${name}`;
  // An abstract socket: Linux alone has them.
  if (platform === 'linux') return { socket: `\0${unique}` };
  if (platform === 'win32') return { socket: `\\\\.\\pipe\\${unique}` };
  return { file: path.posix.join(os.tmpdir(), `${unique}.lock`) };
}

/** Resolve to a function that lets the next one in; to undefined while another is at work. */
function take({ socket, file }) {
  return socket ? listen(socket) : lockFile(file);
}

function listen(address) {
  return new Promise((resolve, reject) => {
    const server = net.createServer((client) => client.destroy());
    server.once('error', (error) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    server.listen(address, () => {
      server.unref();
      resolve(() => new Promise((closed) => server.close(closed)));
    });
  });
}

/** Lock a file as flock() does, in the call that opens it. */
async function lockFile(file) {
  const flags =
    fs.constants.O_RDWR | fs.constants.O_CREAT | O_EXLOCK | O_NONBLOCK;
  try {
    const handle = await fs.promises.open(file, flags, 0o600);
    return () => handle.close();
  } catch (error) {
    // EWOULDBLOCK, which is the same number there.
    if (error.code === 'EAGAIN') return undefined;
    throw error;
  }
}
