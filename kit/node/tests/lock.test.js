/** Work that only one command may do at a time, on this machine and in this project. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { project } from './projects.js';

const SCRIPT = fileURLToPath(new URL('fixture/alone.js', import.meta.url));

const importLock = () => import('../lib/lock.js');

function start(folder, rounds, longest) {
  const file = path.join(folder, 'events');
  const args = [SCRIPT, file, String(rounds), String(longest)];
  return spawn(process.execPath, args, { cwd: folder, stdio: 'ignore' });
}

function readEvents(folder) {
  const file = path.join(folder, 'events');
  if (!fs.existsSync(file)) return [];
  return fs.readFileSync(file, 'utf8').split('\n').filter(Boolean);
}

describe('alone()', () => {
  it('never lets two processes in at once', async () => {
    const folder = project();
    const children = [1, 2, 3, 4].map(() => start(folder, 25, 4));
    const ends = await Promise.all(
      children.map((child) => once(child, 'exit')),
    );
    expect(ends.map(([code]) => code)).toEqual([0, 0, 0, 0]);
    const events = readEvents(folder);
    expect(events).toHaveLength(200);
    for (let i = 0; i < events.length; i += 2) {
      expect(events[i]).toMatch(/begins$/);
      expect(events[i + 1]).toBe(events[i].replace('begins', 'ends'));
    }
  });

  it('takes the place of a process that was killed', async () => {
    const folder = project();
    vi.spyOn(console, 'log').mockReturnValue();
    const child = start(folder, 1, 1_000_000_000);
    await vi.waitFor(() => expect(readEvents(folder)).toHaveLength(1), 5000);
    const { alone } = await importLock();
    const work = alone('test', async () => 'done');
    child.kill('SIGKILL');
    expect(await work).toBe('done');
  });

  it('waits, says so, and goes on after a failure', async () => {
    project();
    const log = vi.spyOn(console, 'log').mockReturnValue();
    const { alone } = await importLock();
    const events = [];
    const work = (name) => async () => {
      events.push(`${name} begins`);
      await new Promise(setImmediate);
      events.push(`${name} ends`);
      if (name === 'a') throw new Error('a fails');
      return name;
    };
    const results = await Promise.allSettled(
      ['a', 'b'].map((name) => alone('test', work(name))),
    );
    expect(events).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
    expect(results[0].reason.message).toBe('a fails');
    expect(results[1].value).toBe('b');
    expect(log.mock.calls).toEqual([
      ['Waiting for another command, which installs …'],
    ]);
  });

  it('lets different work happen at once', async () => {
    project();
    const { alone } = await importLock();
    const inner = () => alone('frontend', async () => 'both');
    expect(await alone('api', inner)).toBe('both');
  });
});

describe('what is locked', () => {
  it('is a socket without a file on Linux', async () => {
    project();
    const { lockPlace } = await importLock();
    expect(lockPlace('api', 'linux')).toEqual({
      socket: expect.stringMatching(/^\0react-flask-kit-[0-9a-f]{16}-api$/),
    });
  });

  it('is a named pipe on Windows', async () => {
    project();
    const { lockPlace } = await importLock();
    expect(lockPlace('api', 'win32')).toEqual({
      socket: expect.stringMatching(
        /^\\\\\.\\pipe\\react-flask-kit-[0-9a-f]{16}-api$/,
      ),
    });
  });

  it('is a file on macOS', async () => {
    project();
    const { lockPlace } = await importLock();
    const { file } = lockPlace('api', 'darwin');
    expect(path.posix.dirname(file)).toBe(os.tmpdir());
    expect(path.posix.basename(file)).toMatch(
      /^react-flask-kit-[0-9a-f]{16}-api\.lock$/,
    );
  });

  it.each([
    'linux',
    'win32',
    'darwin',
  ])('is another one for other work and another project on %s', async (system) => {
    const places = [];
    for (let i = 0; i < 2; i++) {
      project();
      const { lockPlace } = await importLock();
      places.push(lockPlace('api', system), lockPlace('frontend', system));
    }
    const names = places.map(({ socket, file }) => socket ?? file);
    expect(new Set(names).size).toBe(4);
  });
});

describe('the lock of a file, as macOS has it', () => {
  /** <fcntl.h>: O_RDWR | O_CREAT of this system, O_EXLOCK | O_NONBLOCK of macOS. */
  const FLAGS = fs.constants.O_RDWR | fs.constants.O_CREAT | 0x20 | 0x4;

  function onMac() {
    project();
    const { platform } = process;
    const pretend = (value) =>
      Object.defineProperty(process, 'platform', { value });
    pretend('darwin');
    onTestFinished(() => {
      pretend(platform);
    });
    vi.spyOn(console, 'log').mockReturnValue();
    return vi.spyOn(fs.promises, 'open');
  }

  const taken = () =>
    Object.assign(new Error('EAGAIN: resource temporarily unavailable'), {
      code: 'EAGAIN',
    });

  it('is taken by the call that opens it, once nobody holds it', async () => {
    const open = onMac();
    const close = vi.fn();
    open.mockRejectedValueOnce(taken()).mockRejectedValueOnce(taken());
    open.mockResolvedValueOnce({ close });
    const { alone, lockPlace } = await importLock();
    const work = vi.fn(async () => expect(close).not.toHaveBeenCalled());
    await alone('test', work);
    expect(work).toHaveBeenCalledTimes(1);
    expect(close).toHaveBeenCalledTimes(1);
    const call = [lockPlace('test').file, FLAGS, 0o600];
    expect(open.mock.calls).toEqual([call, call, call]);
    expect(console.log).toHaveBeenCalledTimes(1);
  });

  it('is given back after a failure', async () => {
    const open = onMac();
    const close = vi.fn();
    open.mockResolvedValueOnce({ close });
    const { alone } = await importLock();
    const fail = () => alone('test', () => Promise.reject(new Error('fails')));
    await expect(fail()).rejects.toThrow('fails');
    expect(close).toHaveBeenCalledTimes(1);
  });

  it('that cannot be taken at all is an error', async () => {
    const open = onMac();
    open.mockRejectedValueOnce(new Error('EACCES: permission denied'));
    const { alone } = await importLock();
    const work = vi.fn();
    await expect(alone('test', work)).rejects.toThrow('EACCES');
    expect(work).not.toHaveBeenCalled();
  });
});
