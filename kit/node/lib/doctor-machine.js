import { execFile, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { promisify } from 'node:util';
import { findPython, isNewEnough, probe, venvPython } from './api.js';
import { hint, ok, wrong } from './doctor-report.js';
import { askGit } from './git.js';
import { isPortFree } from './ports.js';
import { apiPlace, flaskSetting, problem, ROOT, readPort } from './project.js';

const execute = promisify(execFile);
const PATIENCE = 500;

/** Check which Node.js runs; the launcher itself refuses one that is too old. */
export function node({ platform, arch, versions } = process, ask = spawnSync) {
  const name = `Node.js ${versions.node} (${platform}, ${arch})`;
  const isTranslated =
    platform === 'darwin' &&
    arch === 'x64' &&
    /1/.test(ask('sysctl', ['-n', 'sysctl.proc_translated']).stdout ?? '');
  return isTranslated
    ? hint(
        `${name} is for Intel, on a Mac with Apple silicon: it is slower. Install the one for arm64.`,
      )
    : ok(name);
}

/** Check which Python would make api/venv. */
export function python() {
  try {
    const { command, version } = findPython();
    return ok(`${version} (${command.join(' ')})`);
  } catch (error) {
    const own = probe([venvPython()]);
    if (!own || !isNewEnough(own)) throw error;
    return hint(
      `${error.message}\nUntil api/venv has to be made again, its ${own} will do.`,
    );
  }
}

/** Check git, and that the project is in a repository. */
export function repository() {
  const version = askGit(['--version'])?.replace(/^git version /, '');
  if (version === undefined) {
    throw problem('git does not start. Install it from https://git-scm.com');
  }
  return askGit(['rev-parse', '--show-toplevel']) === undefined
    ? hint(
        `git ${version}, but the project is in no repository that it can read: git init`,
      )
    : ok(`git ${version}`);
}

/** Check the three ports, and say who has them. */
export async function ports() {
  // The launcher itself imports nothing of Vite's plugins.
  const { readEnvironment } = await import('../vite/create-react-app/env.js');
  const env = attempt(() => readEnvironment(ROOT, 'development'), process.env);
  const places = [
    () => ({
      what: 'the frontend',
      name: 'PORT',
      port: readPort('PORT', env.PORT, 3000),
      host: env.HOST || 'localhost',
    }),
    () => ({ what: 'the API', name: 'FLASK_RUN_PORT', ...apiPlace() }),
    () => ({
      what: 'npm run serve',
      name: 'PORT',
      port: readPort('PORT', flaskSetting('PORT'), 8000),
      host: flaskSetting('HOST') || '127.0.0.1',
    }),
  ];
  const found = await Promise.all(places.map(checkPort));
  // PORT is of two servers, and once is enough to say what is wrong with it.
  return found.filter(
    ({ text }, i) => found.findIndex((one) => one.text === text) === i,
  );
}

async function checkPort(read) {
  try {
    const { what, name, port, host } = read();
    const place = `Port ${port} (${what})`;
    const names = { port: name, host: name.replace('PORT', 'HOST') };
    if (await isPortFree(port, host, names)) return ok(`${place} is free`);
    return await whoHas(port, place, name);
  } catch (error) {
    return wrong(error.message);
  }
}

async function whoHas(port, place, setting) {
  const [holder, server] = await Promise.all([
    holderOf(port).catch(() => undefined),
    serverAt(port),
  ]);
  if (/AirTunes/.test(server ?? '')) {
    return hint(
      `${place} is taken by AirPlay Receiver: npm run dev finds another one. To free it: ` +
        'System Settings, General, AirDrop & Handoff; or set FLASK_RUN_PORT.',
    );
  }
  if (holder?.folder && isInProject(holder.folder)) {
    return hint(`${place} is taken by this project (${nameOf(holder)})`);
  }
  const who = holder ? nameOf(holder) : (server ?? 'another program');
  if (setting === 'FLASK_RUN_PORT' && !flaskSetting(setting)) {
    return hint(
      `${place} is taken by ${who}: npm run dev finds another one. For npm run start-api, stop it ` +
        `or choose another port: ${setting}=… in .env`,
    );
  }
  return wrong(
    `${place} is taken by ${who}. Stop it, or choose another port: ${setting}=… in .env`,
  );
}

function nameOf({ name, pid }) {
  return `${name}, process ${pid}`;
}

function isInProject(folder) {
  const place = path.relative(ROOT, folder);
  return !place.startsWith('..') && !path.isAbsolute(place);
}

/** How a web server calls itself. */
function serverAt(port) {
  return new Promise((resolve) => {
    const request = http.get(
      { host: '127.0.0.1', port, timeout: PATIENCE, agent: false },
      (response) => {
        response.destroy();
        resolve(response.headers.server);
      },
    );
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(undefined));
  });
}

/**
 * Tell which process listens on a port, as far as this user may know.
 *
 * @param {number} port
 * @param {NodeJS.Platform} [platform]
 * @param {(program: string, args: string[]) => Promise<{ stdout: string }>} [ask]
 * @returns {Promise<{ pid: number, name: string, folder?: string } | undefined>} `folder` is
 *   where it was started
 */
export async function holderOf(
  port,
  platform = process.platform,
  ask = execute,
) {
  if (platform === 'linux') return holderOnLinux(port);
  const options = { windowsHide: true, timeout: 2000 };
  const say = async (...command) => (await ask(...command, options)).stdout;
  if (platform === 'win32') {
    const table = await say('netstat', ['-ano', '-p', 'TCP']);
    // The last word but one is translated; a socket that listens has no one at its other end.
    const line = new RegExp(
      `^\\s*TCP\\s+\\S+:${port}\\s+\\S+:0\\s+\\S+\\s+(\\d+)`,
      'm',
    );
    const [, pid] = line.exec(table) ?? [];
    if (!pid) return undefined;
    const tasks = await say('tasklist', ['/fi', `PID eq ${pid}`, '/fo', 'csv']);
    const [, name] = new RegExp(`^"([^"]+)","${pid}"`, 'm').exec(tasks) ?? [];
    return { pid: Number(pid), name: name ?? 'a program' };
  }
  const listening = ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'];
  const [, pid, name] =
    /^p(\d+)\nc(.+)$/m.exec(await say('lsof', listening)) ?? [];
  if (!pid) return undefined;
  const places = await say('lsof', ['-a', '-p', pid, '-d', 'cwd', '-Fn']);
  const [, folder] = /^n(.+)$/m.exec(places) ?? [];
  return { pid: Number(pid), name, folder };
}

function holderOnLinux(port) {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const listens = new RegExp(
    `^ *\\d+: \\w+:${hex} \\w+:0000 0A (?:\\S+ +){5}(\\d+) `,
    'gm',
  );
  const sockets = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => {
    const table = attempt(() => fs.readFileSync(file, 'utf8'), '');
    return [...table.matchAll(listens)].map(([, inode]) => `socket:[${inode}]`);
  });
  const pid = fs
    .readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .find((entry) =>
      attempt(() => fs.readdirSync(`/proc/${entry}/fd`), []).some((fd) =>
        sockets.includes(
          attempt(() => fs.readlinkSync(`/proc/${entry}/fd/${fd}`)),
        ),
      ),
    );
  return (
    pid && {
      pid: Number(pid),
      name: fs.readFileSync(`/proc/${pid}/comm`, 'utf8').trim(),
      folder: attempt(() => fs.readlinkSync(`/proc/${pid}/cwd`)),
    }
  );
}

function attempt(work, otherwise) {
  try {
    return work();
  } catch {
    return otherwise;
  }
}
