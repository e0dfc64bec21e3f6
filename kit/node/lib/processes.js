import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from './project.js';

const PATIENCE = 3000;
// An editor that the program has opened keeps its output open for hours.
const LAST_WORDS = 300;
const MOST_LINES = 40;
// Read at once: a parent that is gone by the time of the first run() would not be missed.
const PARENT = process.ppid;
const GRANDPARENT = parentOfShell(PARENT);
/** @type {Map<import('node:child_process').ChildProcess, Promise<object>>} */
const children = new Map();
let listening = false;
let stopping = false;

/**
 * Run a program to its end. It ends when this process is told to end.
 *
 * @param {string[]} command the program and its arguments
 * @param {object} [options] those of `start`
 * @returns {Promise<number>} its exit code, 127 if there is no such program
 */
export async function run(command, options) {
  return exitCode(await start(command, options).ended);
}

/**
 * Tell how a program has ended in one number, as a shell does.
 *
 * @param {{ code: number | null, signal: NodeJS.Signals | null }} how
 * @returns {number}
 */
export function exitCode({ code, signal }) {
  return code ?? 128 + os.constants.signals[signal];
}

/**
 * Start a program. It ends when this process is told to end.
 *
 * @param {string[]} command the program and its arguments
 * @param {object} [options]
 * @param {Record<string, string>} [options.env] added to the environment
 * @param {string} [options.cwd] where it runs; the project's folder, unless given
 * @param {string} [options.label] written before each line of its output
 * @param {number} [options.patience] milliseconds that it has to end when it is told to
 * @param {boolean} [options.shell] needed for npx, which is a batch file on Windows
 * @param {boolean} [options.ipc] with a channel for messages, as of `fork()`
 * @param {boolean} [options.silent] without its standard output; errors are shown
 * @param {boolean} [options.tied] its standard input is a pipe, which ends with this process
 * @returns {{ child: import('node:child_process').ChildProcess & { said: string[] },
 *   ended: Promise<{ code: number | null, signal: NodeJS.Signals | null }> }} code is 127 if
 *   there is no such program; `ended` never resolves once this process is told to end
 */
export function start([program, ...args], options = {}) {
  const { env, cwd = ROOT, label, patience = PATIENCE, shell } = options;
  if (stopping) return { ended: untilExit() };
  listenForTheEnd();
  const command = shell ? [quoted(program, args), []] : [program, args];
  const child = spawn(...command, {
    cwd,
    env: { ...process.env, ...noColors(), ...(label && colors()), ...env },
    shell,
    stdio: stdio(options),
    windowsHide: true,
  });
  child.patience = patience;
  // Nobody writes to it, and it may be closed at the other side.
  child.stdin?.on('error', () => {});
  child.said = [];
  if (label) {
    labelLines(child, 'stdout', label);
    labelLines(child, 'stderr', label);
  }
  const end = untilEnd(child, program);
  children.set(child, end);
  const ended = end.then((how) => {
    children.delete(child);
    return stopping ? untilExit() : how;
  });
  return { child, ended };
}

function stdio({ label, ipc, silent, tied }) {
  const input = tied ? 'pipe' : label ? 'ignore' : 'inherit';
  const output = label ? 'pipe' : 'inherit';
  return [input, silent ? 'ignore' : output, output, ...(ipc ? ['ipc'] : [])];
}

/** Wait for what a program has printed too, but not for others that hold its output open. */
async function untilEnd(child, program) {
  const closed = once(child, 'close');
  try {
    const [code, signal] = await once(child, 'exit');
    await Promise.race([closed, sleep(LAST_WORDS, undefined, { ref: false })]);
    child.stdout?.destroy();
    child.stderr?.destroy();
    return { code, signal };
  } catch (error) {
    console.error(`${program}: ${error.message}`);
    return { code: 127, signal: null };
  } finally {
    closed.catch(() => {});
  }
}

/**
 * End a program and all that it started.
 *
 * @param {import('node:child_process').ChildProcess} child
 * @param {NodeJS.Platform} [platform]
 * @param {typeof spawnSync} [execute] runs Windows' taskkill
 */
export function stop(child, platform = process.platform, execute = spawnSync) {
  if (platform === 'win32') {
    // kill() would end the reloader and leave the server that it started.
    execute('taskkill', ['/pid', String(child.pid), '/t', '/f']);
    return;
  }
  child.kill('SIGTERM');
  const { patience = PATIENCE } = child;
  setTimeout(() => child.kill('SIGKILL'), patience).unref();
}

/**
 * End every program that this process started.
 *
 * @returns {Promise<object[]>} once they have ended
 */
export function stopAll() {
  for (const child of children.keys()) stop(child);
  return Promise.all(children.values());
}

function listenForTheEnd() {
  if (listening) return;
  listening = true;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.once(signal, () => end(signal));
  }
  // A command runner that is killed does not pass the signal on.
  setInterval(() => isAbandoned() && end('SIGHUP'), 100).unref();
}

function isAbandoned() {
  return process.ppid !== PARENT || parentOfShell(PARENT) !== GRANDPARENT;
}

/** Where `sh -c` stays between npm and us, as on Debian, it outlives npm: tell whose it is. */
function parentOfShell(pid) {
  try {
    const command = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    if (!/^(\/bin\/)?sh\0-c\0/.test(command)) return undefined;
    return fs
      .readFileSync(`/proc/${pid}/status`, 'utf8')
      .match(/^PPid:\s*(\d+)/m)[1];
  } catch {
    return undefined;
  }
}

async function end(signal) {
  if (stopping) return;
  stopping = true;
  const ended = [...children.values()];
  // Ctrl-C reaches the programs by itself; give them the time to end in their own way.
  if (signal === 'SIGINT') setTimeout(stopAll, 1000).unref();
  else stopAll();
  await Promise.all(ended);
  const code = 128 + os.constants.signals[signal];
  if (signal !== 'SIGHUP') process.exit(code);
  // Where the terminal is gone, exit() would abort: it tries to restore its settings.
  process.emit('exit', code);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

/** Let nobody go on who waits for a program that was told to end. */
function untilExit() {
  return new Promise(() => {});
}

/** Node.js itself passes arguments to a shell as they are. */
function quoted(program, args) {
  return [program, ...args.map((arg) => `"${arg}"`)].join(' ');
}

/** Print what a program writes, and keep what it has said last. */
function labelLines(child, name, label) {
  createInterface({ input: child[name] }).on('line', (line) => {
    process[name].write(`${label} ${line}\n`);
    child.said.push(line);
    if (child.said.length > MOST_LINES) child.said.shift();
  });
}

/** Programs that write into a pipe believe that nobody sees their colours. */
function colors() {
  return process.stdout.isTTY && !process.env.NO_COLOR
    ? { FORCE_COLOR: '1' }
    : {};
}

/** Some programs colour even what goes into a file. */
function noColors() {
  const { FORCE_COLOR } = process.env;
  return process.stdout.isTTY || FORCE_COLOR ? {} : { NO_COLOR: '1' };
}
