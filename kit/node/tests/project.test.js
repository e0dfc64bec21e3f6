/** What the project, its package.json, .env and .flaskenv say. */
import fs from 'node:fs';
import path from 'node:path';
import util from 'node:util';
import { isNodeSupported, problem, readPort } from '../lib/project.js';
import { project } from './projects.js';

const importProject = () => import('../lib/project.js');

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

describe('a problem', () => {
  it('is shown without a stack trace, also by Vite', () => {
    expect(problem('Do this.').stack).toBe('Do this.');
    expect(util.inspect(problem('Do this.'))).toBe('Do this.');
  });
});

describe('a file of the project', () => {
  it('is read, or undefined', async () => {
    project({ 'a/b.txt': 'text' });
    const { readProjectFile } = await importProject();
    expect(readProjectFile('a', 'b.txt')).toBe('text');
    expect(readProjectFile('no', 'such', 'file')).toBeUndefined();
  });

  it('is read without a byte order mark', async () => {
    project({ 'a.txt': '\uFEFFtext' });
    const { readProjectFile } = await importProject();
    expect(readProjectFile('a.txt')).toBe('text');
  });

  it('that is a folder is an error', async () => {
    const folder = project();
    fs.mkdirSync(path.join(folder, 'folder'));
    const { readProjectFile } = await importProject();
    expect(() => readProjectFile('folder')).toThrow('EISDIR');
  });
});

describe('package.json', () => {
  it('is read', async () => {
    project({ 'package.json': '\uFEFF{"name": "a"}' });
    const { readPackage } = await importProject();
    expect(readPackage()).toEqual({ name: 'a' });
  });

  it('that is missing says where to run the command', async () => {
    const folder = project();
    const { readPackage } = await importProject();
    expect(readPackage).toThrow(
      `There is no package.json in ${folder}. Run the command in the project's folder.`,
    );
  });

  it('that is not JSON says what is wrong', async () => {
    project({ 'package.json': '{"name": }' });
    const { readPackage } = await importProject();
    expect(readPackage).toThrow(/^package\.json is not JSON: .*token/);
  });
});

describe("the API's address", () => {
  it.each([
    ['the proxy', { proxy: 'http://127.0.0.1:5001' }, {}, '127.0.0.1:5001'],
    [
      'FLASK_RUN_PORT for its port',
      { proxy: 'http://127.0.0.1:5001' },
      { FLASK_RUN_PORT: '5678' },
      '127.0.0.1:5678',
    ],
    [
      'nothing that is empty',
      { proxy: 'http://127.0.0.1:5001' },
      { FLASK_RUN_PORT: '' },
      '127.0.0.1:5001',
    ],
    ['the fallback', {}, {}, 'fallback.test:1'],
    [
      'FLASK_RUN_PORT for the port of the fallback',
      {},
      { FLASK_RUN_PORT: '5678' },
      'fallback.test:5678',
    ],
    [
      'another machine over TLS',
      { proxy: 'https://api.example.com' },
      {},
      'api.example.com',
    ],
  ])('is told by %s', async (_name, manifest, env, host) => {
    project({ 'package.json': manifest });
    const { apiAddress } = await importProject();
    expect(apiAddress('http://fallback.test:1', env).host).toBe(host);
  });

  it('is told by .env before .flaskenv, and by the environment before both', async () => {
    project({
      'package.json': { proxy: 'http://127.0.0.1:5001' },
      '.flaskenv': 'FLASK_RUN_PORT=5002\nFLASK_RUN_HOST=0.0.0.0\n',
      '.env': '\uFEFFFLASK_RUN_PORT=5003 # comment\r\n',
    });
    const { apiAddress, flaskSetting } = await importProject();
    expect(apiAddress(undefined, {}).port).toBe('5003');
    expect(flaskSetting('FLASK_RUN_HOST', {})).toBe('0.0.0.0');
    const env = { FLASK_RUN_PORT: '5004' };
    expect(apiAddress(undefined, env).port).toBe('5004');
  });

  it('is unknown without "proxy" and a fallback', async () => {
    project({ 'package.json': {} });
    const { apiAddress } = await importProject();
    const env = { FLASK_RUN_PORT: '5678' };
    expect(apiAddress(undefined, env)).toBeUndefined();
  });

  it.each([
    '5000',
    'localhost:5000',
    'http://',
    { '/api': {} },
  ])('is not %j', async (proxy) => {
    project({ 'package.json': { proxy } });
    const { apiAddress } = await importProject();
    expect(() => apiAddress(undefined, {})).toThrow(
      `"proxy" in package.json is ${JSON.stringify(proxy)}. Write the address`,
    );
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
    '+80',
    '65536',
    '3000.5',
    '3000 x',
    '0x1F',
    '1e3',
    ' ',
  ])('%j is refused', async (value) => {
    expect(() => readPort('PORT', value, 3000)).toThrow(
      `PORT=${value} is not a port. Use a number from 1 to 65535.`,
    );
    project({ 'package.json': {} });
    const { apiAddress } = await importProject();
    const env = { FLASK_RUN_PORT: value };
    expect(() => apiAddress('http://127.0.0.1', env)).toThrow(
      `FLASK_RUN_PORT=${value} is not a port.`,
    );
  });
});

describe("the app's folder", () => {
  it.each([
    ['api/api.py', 'api'],
    ['./api/api.py', 'api'],
    ['api/api.py:app', 'api'],
    ['api/api.py:create_app("a/b.py:c")', 'api'],
    ['app.py', '.'],
    ['api', '.'],
    ['package.module:create_app()', '.'],
    ['', '.'],
    [undefined, '.'],
  ])('of FLASK_APP=%s is %s', async (app, expected) => {
    const folder = project();
    const { appFolder } = await importProject();
    const env = { FLASK_APP: app };
    expect(appFolder(env)).toBe(path.join(folder, expected));
  });

  it('may be anywhere, also where a drive has a colon', async () => {
    const folder = project();
    const { appFolder } = await importProject();
    const file = path.resolve(folder, '..', 'other', 'app.py');
    const env = { FLASK_APP: `${file}:app` };
    expect(appFolder(env)).toBe(path.dirname(file));
  });

  it('is read from .flaskenv', async () => {
    const folder = project({ '.flaskenv': 'FLASK_APP=api/api.py\n' });
    const { appFolder } = await importProject();
    expect(appFolder({})).toBe(path.join(folder, 'api'));
  });
});
