import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from './project.mjs';

const LOOK_AGAIN_AFTER = 100;

/**
 * Do something that only one command at a time may do in this project; the others wait.
 *
 * @template T
 * @param {string} name of what is done, such as 'api'
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function alone(name, work) {
  const file = lockFile(name);
  const release = () => fs.rmSync(file, { force: true });
  let told = false;
  while (!take(file)) {
    const owner = Number(read(file));
    if (!isRunning(owner)) {
      release();
      continue;
    }
    if (!told)
      console.log(`Waiting for process ${owner}, which installs (${file}) …`);
    told = true;
    await sleep(LOOK_AGAIN_AFTER);
  }
  process.once('exit', release);
  try {
    return await work();
  } finally {
    process.off('exit', release);
    release();
  }
}

/**
 * Tell which file says that someone is at work; it holds the number of the process.
 *
 * @param {string} name
 * @returns {string}
 */
export function lockFile(name) {
  const project = crypto.createHash('sha256').update(ROOT).digest('hex');
  return path.join(os.tmpdir(), `${project.slice(0, 16)}-${name}.lock`);
}

function take(file) {
  try {
    fs.writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function read(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Also of 0, which is an owner who is just writing the number. */
function isRunning(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}
