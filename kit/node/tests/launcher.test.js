// @vitest-environment node

import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import {
  apiCommand,
  findPython,
  OLDEST_PYTHON,
  pythonCandidates,
  venvPython,
} from '../scripts/lib/api.mjs';
import { alone, lockAddress } from '../scripts/lib/lock.mjs';
import { pageCommand, yarnCommand } from '../scripts/lib/page.mjs';
import {
  findFreePort,
  isPortFree,
  portIsTaken,
} from '../scripts/lib/ports.mjs';
import { run, stop } from '../scripts/lib/processes.mjs';
import {
  apiAddress,
  isNodeSupported,
  problem,
  ROOT,
  readPort,
  readProjectFile,
} from '../scripts/lib/project.mjs';

describe('Python', () => {
  it('is asked for by the launcher first on Windows, where python3 is a stub', () => {
    expect(pythonCandidates('win32', {})).toEqual([
      ['py', '-3'],
      ['python'],
      ['python3'],
    ]);
  });

  it.each(['linux', 'darwin'])('is asked for by its names on %s', (system) => {
    const names = pythonCandidates(system, {}).map(([name]) => name);
    expect(names.slice(0, 3)).toEqual(['python3', 'python', 'python3.14']);
    expect(names.at(-1)).toBe(`python${OLDEST_PYTHON}`);
  });

  it.each(['win32', 'linux', 'darwin'])('is PYTHON alone on %s', (system) => {
    const env = { PYTHON: '/opt/a python' };
    expect(pythonCandidates(system, env)).toEqual([['/opt/a python']]);
  });

  it('is the first that is new enough', () => {
    const versions = { python3: 'Python 3.9', 'python3.99': 'Python 3.99' };
    const candidates = [['python3'], ['python'], ['python3.99'], ['python4']];
    expect(findPython(candidates, ([name]) => versions[name])).toEqual({
      command: ['python3.99'],
      version: 'Python 3.99',
    });
  });

  it.each([
    'Python 2.7',
    'Python 3.9',
    'Python 4.0',
    undefined,
  ])('is not %s', (version) => {
    expect(() => findPython([['py', '-3']], () => version)).toThrow(
      `  py -3: ${version ?? 'not found'}\n`,
    );
  });

  it('is in another folder of a virtual environment on Windows', () => {
    expect(venvPython('C:\\a b\\venv', 'win32')).toBe(
      'C:\\a b\\venv\\Scripts\\python.exe',
    );
    expect(venvPython('/a b/venv', 'darwin')).toBe('/a b/venv/bin/python');
    expect(venvPython('/a b/venv', 'linux')).toBe('/a b/venv/bin/python');
  });

  it('runs what a package of the API brings', () => {
    expect(apiCommand(['flask', 'routes'])).toEqual([
      venvPython(),
      '-m',
      'flask',
      'routes',
    ]);
  });
});

describe('Node.js', () => {
  it.each([
    ['18.20.8', false],
    ['20.18.3', false],
    ['20.19.0', true],
    ['21.7.3', false],
    ['22.11.0', false],
    ['22.12.0', true],
    ['23.0.0', true],
    ['24.4.1', true],
  ])('%s is supported: %s', (version, expected) => {
    expect(isNodeSupported(version)).toBe(expected);
  });
});

describe('yarn', () => {
  it('replaces the shell that npx starts, so that signals reach it', () => {
    expect(yarnCommand(['add', "it's@>=1 <2"], 'linux')).toEqual([
      '--call',
      "exec yarn 'add' 'it'\\''s@>=1 <2'",
    ]);
  });

  it('is called by its name on Windows, which knows no exec', () => {
    expect(yarnCommand(['add', 'left-pad'], 'win32')).toEqual([
      'yarn',
      'add',
      'left-pad',
    ]);
  });
});

describe('a program of a package', () => {
  it('is started by Node.js itself, not by a script of one system', () => {
    const [node, script, ...args] = pageCommand(['vite', 'build']);
    expect(node).toBe(process.execPath);
    expect(path.relative(ROOT, script)).toBe(
      path.join('node_modules', 'vite', 'bin', 'vite.js'),
    );
    expect(args).toEqual(['build']);
  });

  it('that no package brings is named', () => {
    expect(() => pageCommand(['webpack'])).toThrow('"webpack"');
  });
});

describe('stopping a program', () => {
  it('ends all that it started on Windows', () => {
    const execute = vi.fn();
    const kill = vi.fn();
    stop({ pid: 42, kill }, 'win32', execute);
    expect(execute).toHaveBeenCalledWith('taskkill', [
      '/pid',
      '42',
      '/t',
      '/f',
    ]);
    expect(kill).not.toHaveBeenCalled();
  });

  it.each([
    'linux',
    'darwin',
  ])('asks first and then insists on %s', (system) => {
    vi.useFakeTimers();
    const kill = vi.fn();
    stop({ pid: 42, kill }, system);
    expect(kill.mock.calls).toEqual([['SIGTERM']]);
    vi.runAllTimers();
    expect(kill.mock.calls).toEqual([['SIGTERM'], ['SIGKILL']]);
    vi.useRealTimers();
  });
});

describe('running a program', () => {
  it('tells its exit code', async () => {
    const fail = [process.execPath, '-e', 'process.exit(3)'];
    expect(await run(fail)).toBe(3);
  });

  it('that does not exist is an exit code and a message', async () => {
    const error = vi.spyOn(console, 'error').mockImplementation(() => {});
    expect(await run(['no-such-program'])).toBe(127);
    expect(error).toHaveBeenCalledWith(
      expect.stringContaining('no-such-program'),
    );
    error.mockRestore();
  });
});

describe("the API's address", () => {
  const proxy = new URL(JSON.parse(readProjectFile('package.json')).proxy);

  it.each([
    ['the proxy of package.json', {}, proxy.port],
    ['FLASK_RUN_PORT', { FLASK_RUN_PORT: '5678' }, '5678'],
    ['nothing that is empty', { FLASK_RUN_PORT: '' }, proxy.port],
  ])('is told by %s', (_name, env, port) => {
    expect(apiAddress(env).hostname).toBe(proxy.hostname);
    expect(apiAddress(env).port).toBe(port);
  });
});

describe('a port', () => {
  it.each([
    ['1', 1],
    ['65535', 65535],
    [undefined, 3000],
    ['', 3000],
  ])('%j is read as %s', (value, port) => {
    expect(readPort('PORT', value, 3000)).toBe(port);
  });

  it.each([
    'abc',
    '0',
    '-1',
    '65536',
    '3000.5',
    '3000 x',
  ])('%j is refused', (value) => {
    expect(() => readPort('PORT', value, 3000)).toThrow(
      `PORT=${value} is not a port. Use a number from 1 to 65535.`,
    );
    expect(() => apiAddress({ FLASK_RUN_PORT: value })).toThrow(
      `FLASK_RUN_PORT=${value} is not a port.`,
    );
  });

  it('that is taken is named, and another one is found', async () => {
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

  it('of an address that is not ours is a message', async () => {
    await expect(isPortFree(3000, '192.0.2.1')).rejects.toThrow(
      'Port 3000 cannot be used: ',
    );
  });
});

describe('work that only one may do at a time', () => {
  it('is done by one after the other', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {});
    const events = [];
    const work = (name) => async () => {
      events.push(`${name} begins`);
      await new Promise(setImmediate);
      events.push(`${name} ends`);
      if (name === 'a') throw new Error('a fails');
    };
    await Promise.allSettled(
      ['a', 'b', 'c'].map((name) => alone('test', work(name))),
    );
    for (let i = 0; i < events.length; i += 2) {
      expect(events[i + 1]).toBe(events[i].replace('begins', 'ends'));
    }
    expect(events).toHaveLength(6);
    expect(log).toHaveBeenCalledWith(expect.stringContaining('Waiting'));
    log.mockRestore();
  });

  it('is found by its name on every system', () => {
    expect(lockAddress('api', 'win32')).toMatch(
      /^\\\\\.\\pipe\\[0-9a-f]{8}-api$/,
    );
    expect(lockAddress('api', 'linux')).toMatch(/\/[0-9a-f]{8}-api\.lock$/);
    expect(lockAddress('api')).not.toBe(lockAddress('page'));
  });
});

describe('a problem', () => {
  it('is shown without a stack trace', () => {
    expect(problem('Do this.').stack).toBe('Do this.');
  });
});

describe('a file of the project', () => {
  it('is read, or undefined', () => {
    const text = fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8');
    expect(readProjectFile('package.json')).toBe(text);
    expect(readProjectFile('no', 'such', 'file')).toBeUndefined();
  });
});
