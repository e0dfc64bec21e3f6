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

  it.each([
    '{\n\t"name": "a"\n}',
    '{\n    "name": "a",\n    "dependencies": {}\n}\n',
    '{\r\n  "name": "a"\r\n}\r\n',
  ])('is written as it was indented and ended: %j', async (text) => {
    const folder = project({ 'package.json': text });
    const { readPackage, writePackage } = await importProject();
    writePackage(readPackage());
    const file = path.join(folder, 'package.json');
    expect(fs.readFileSync(file, 'utf8')).toBe(text);
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
      'another machine over TLS, wherever this one listens',
      { proxy: 'https://api.example.com' },
      { FLASK_RUN_HOST: '192.168.1.5' },
      'api.example.com',
    ],
    [
      'FLASK_RUN_HOST for its host',
      { proxy: 'http://localhost:5001' },
      { FLASK_RUN_HOST: '192.168.1.5' },
      '192.168.1.5:5001',
    ],
    [
      'FLASK_RUN_HOST of IPv6',
      { proxy: 'http://127.0.0.1:5001' },
      { FLASK_RUN_HOST: '::1' },
      '[::1]:5001',
    ],
    [
      'this machine where FLASK_RUN_HOST is every address',
      { proxy: 'http://127.0.0.1:5001' },
      { FLASK_RUN_HOST: '0.0.0.0' },
      '127.0.0.1:5001',
    ],
    [
      'an address of IPv6 where FLASK_RUN_HOST is every one',
      { proxy: 'http://127.0.0.1:5001' },
      { FLASK_RUN_HOST: '::' },
      '[::1]:5001',
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
    'http://127.0.0.1:0',
    'http://127.0.0.1:0x1F',
    'http://127.0.0.1:70000',
    'http://127.0.0.1:+80',
    { '/api': {} },
  ])('is not %j', async (proxy) => {
    project({ 'package.json': { proxy } });
    const { apiAddress } = await importProject();
    expect(() => apiAddress(undefined, {})).toThrow(
      `"proxy" in package.json is ${JSON.stringify(proxy)}. Write the address`,
    );
  });
});

describe('where the API listens', () => {
  it.each([
    [{}, {}, '127.0.0.1', 5000],
    [{ proxy: '' }, {}, '127.0.0.1', 5000],
    [{ proxy: 'http://localhost:5001' }, {}, '127.0.0.1', 5001],
    [{ proxy: 'http://localhost' }, {}, '127.0.0.1', 80],
    [{ proxy: 'http://localhost:80' }, {}, '127.0.0.1', 80],
    [{ proxy: 'https://localhost' }, {}, '127.0.0.1', 443],
    [{ proxy: 'https://api.example.com' }, {}, '127.0.0.1', 5000],
    [{}, { FLASK_RUN_PORT: '80' }, '127.0.0.1', 80],
    [{}, { FLASK_RUN_HOST: '0.0.0.0' }, '0.0.0.0', 5000],
    [{}, { FLASK_RUN_HOST: '' }, '127.0.0.1', 5000],
  ])('with %j and %j', async (manifest, env, host, port) => {
    project({ 'package.json': manifest });
    const { apiPlace } = await importProject();
    expect(apiPlace(env)).toEqual({ host, port });
  });
});

describe('a file of settings', () => {
  const utf16 = (text) => Buffer.from(`\uFEFF${text}`, 'utf16le');

  it.each([
    ['UTF-16', utf16('A=1\r\n'), /^\.env is not UTF-8, .* Save it as UTF-8/],
    ['UTF-16 without a mark', utf16('A=1').subarray(2), /^\.env is not UTF-8/],
    [
      'Latin-1',
      Buffer.from('A=gr\xFC\xDFe\n', 'latin1'),
      /^\.env is not UTF-8/,
    ],
    ['bytes', Buffer.from([0xff, 0xfe, 0x00]), /^\.env is not UTF-8/],
  ])('in %s is named, and what to do', async (_name, bytes, message) => {
    const folder = project();
    fs.writeFileSync(path.join(folder, '.env'), bytes);
    const { flaskSetting } = await importProject();
    expect(() => flaskSetting('A', {})).toThrow(message);
    const { readEnvironment } = await import('../vite/create-react-app/env.js');
    expect(() => readEnvironment(folder, 'development')).toThrow(message);
  });

  it('that is a folder is named, and what to do', async () => {
    project({ '.flaskenv/pyvenv.cfg': '' });
    const { flaskSetting } = await importProject();
    expect(() => flaskSetting('A', {})).toThrow(
      /^\.flaskenv is a folder, .* Rename the folder\.$/,
    );
  });

  it.each([
    [{ FLASK_SKIP_DOTENV: '1' }, undefined],
    [{ FLASK_SKIP_DOTENV: 'False' }, '1'],
    [{ FLASK_SKIP_DOTENV: '' }, '1'],
    [{ A: '' }, undefined],
  ])('is read by the launcher as Flask does with %j', async (env, value) => {
    project({ '.env': 'A=1\n' });
    const { flaskSetting } = await importProject();
    expect(flaskSetting('A', env)).toBe(value);
  });
});

// The same table is in kit/python/tests/test_server.py.
const PORTS = [
  ['1', 1],
  ['80', 80],
  ['080', 80],
  ['65535', 65535],
  ['', 3000],
];
const NO_PORTS = [
  ...['0', '-1', '65536', '70000', '+80', '0x1F', '1e3', '3000.5', '1_000'],
  ...[
    ' ',
    ' 80',
    '80 ',
    '8 0',
    '80\n',
    'abc',
    '3000 x',
    '\u0663\u0660\u0660\u0660',
  ],
  '9'.repeat(5000),
];

describe('a port', () => {
  it.each([...PORTS, [undefined, 3000]])('%j is read as %s', (value, port) => {
    expect(readPort('PORT', value, 3000)).toBe(port);
  });

  it.each(NO_PORTS)('%j is refused', async (value) => {
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
