/** `npm run kit -- doctor`: what it says of a project in a bad state. */
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { venvPython } from '../lib/api.js';
import { holderOf, node } from '../lib/doctor-machine.js';
import { documentedSettings, nearest } from '../lib/doctor-settings.js';
import { project } from './projects.js';

const LOCKED = {
  react: '19.3.1',
  'react-dom': '19.3.1',
  vite: '8.3.8',
};
const PYPROJECT = `[project]
name = "app"
dependencies = [
    "flask>=3.1,<4",
]

[dependency-groups]
dev = ["pytest>=9", { include-group = "other" }]
`;
const PYTHON = venvPython(
  path.resolve(import.meta.dirname, '../../../api/venv'),
);
const PINS = 'flask==3.1.3 \\\n    --hash=sha256:0\n';

/** Write a lockfile of Yarn 4, with the project and these packages in it. */
function lockfile(versions = LOCKED, asked = ranges(versions)) {
  const root = `"app@workspace:.":
  version: 0.0.0-use.local
  resolution: "app@workspace:."
  dependencies:
${Object.entries(asked)
  .map(([name, range]) => `    ${name}: "npm:${range}"`)
  .join('\n')}
  languageName: unknown
  linkType: soft
`;
  const entries = Object.entries(versions).map(
    ([name, version]) => `"${name}@npm:^${version}":
  version: ${version}
  resolution: "${name}@npm:${version}"
  languageName: node
  linkType: hard
`,
  );
  return ['__metadata:\n  version: 10\n', root, ...entries].join('\n');
}

function ranges(versions) {
  return Object.fromEntries(
    Object.entries(versions).map(([name, version]) => [name, `^${version}`]),
  );
}

/** The files of a project in which all is well, as it is after a clone. */
function files(others = {}) {
  return {
    'package.json': { name: 'app', dependencies: ranges(LOCKED) },
    'yarn.lock': lockfile(),
    'pyproject.toml': PYPROJECT,
    'api/requirements.txt': PINS,
    'api/requirements-dev.txt': `${PINS}pytest==9.2.0\n`,
    'api/api.py': '',
    '.flaskenv': 'FLASK_APP=api/api.py\n',
    'kit/node/package.json': { version: '0.2.0' },
    ...others,
  };
}

/** Let doctor look at a project; return its exit code and what it prints. */
async function examine(others, env = {}) {
  const folder = project(files(others));
  for (const name of Object.keys(process.env)) {
    if (/^(FLASK_|WEB_|REACT_APP|PORT$|HOST$)/.test(name)) {
      vi.stubEnv(name, undefined);
    }
  }
  // A shim that looks for a Python takes long.
  if (fs.existsSync(PYTHON)) vi.stubEnv('PYTHON', PYTHON);
  vi.stubEnv('PORT', String(await freePort()));
  vi.stubEnv('FLASK_RUN_PORT', String(await freePort()));
  vi.stubEnv('PYTHONDONTWRITEBYTECODE', undefined);
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  // What the environment was is remembered beyond the modules.
  delete process[Symbol.for('react-flask-kit:environment')];
  const lines = [];
  vi.spyOn(console, 'log').mockImplementation((line) => lines.push(line));
  const { doctor } = await import('../commands/doctor.js');
  const code = await doctor();
  return { code, output: lines.join('\n'), folder };
}

function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

it('a fresh clone, which has no packages yet, has no problem', async () => {
  const { code, output } = await examine();
  expect(output).not.toMatch(/^problem/m);
  expect(output).toContain('hint     node_modules is not there yet');
  expect(output).toContain('hint     api/venv is not there yet');
  expect(output).toContain('No problem was found.');
  expect(code).toBe(0);
});

it('arguments are refused by name', async () => {
  project();
  const { doctor } = await import('../commands/doctor.js');
  await expect(doctor('--fix')).rejects.toThrow(
    'npm run kit -- doctor takes no arguments, but was given: --fix',
  );
});

const SECRET = 'hunter2-hunter2';
it.each([
  [{ 'package.json': '{"name": }' }, 'package.json is not JSON: '],
  [
    { 'package.json': { dependencies: ['react'] } },
    'package.json: dependencies are {"name": "version"}.',
  ],
  [{ 'yarn.lock': '# yarn lockfile v1\n' }, 'git checkout yarn.lock'],
  [{ 'package-lock.json': {} }, 'package-lock.json is a second lockfile'],
  [{ 'pnpm-lock.yaml': '' }, 'pnpm-lock.yaml is a second lockfile'],
  [
    { 'yarn.lock': `<<<<<<< HEAD\n${lockfile()}` },
    'yarn.lock has a conflict of git in it.',
  ],
  [
    {
      'package.json': {
        dependencies: { ...ranges(LOCKED), 'left-pad': '^1.3.0' },
      },
    },
    'yarn.lock is not what package.json wants: left-pad ^1.3.0. Run: npm run add-frontend',
  ],
  [
    { 'package.json': { dependencies: { ...ranges(LOCKED), react: '^20' } } },
    'yarn.lock is not what package.json wants: react ^20.',
  ],
  [
    { 'package.json': { dependencies: { react: '^19.3.1' } } },
    'no more react-dom, no more vite',
  ],
  [
    { 'yarn.lock': `${lockfile()}\n${lockfile({ vite: '7.1.0' })}` },
    'There is more than one vite: 8.3.8 for vite@npm:^8.3.8; 7.1.0 for vite@npm:^7.1.0.',
  ],
  [
    {
      'yarn.lock': lockfile(
        { ...LOCKED, 'react-dom': '19.2.0' },
        ranges(LOCKED),
      ),
    },
    'react is 19.3.1 and react-dom 19.2.0, which do not work together.',
  ],
  [
    {
      'node_modules/.installed': 'before',
      'node_modules/.package-lock.json': {},
    },
    'npm has installed here (node_modules/.package-lock.json). Delete node_modules',
  ],
  [
    {
      'node_modules/.installed': 'before',
      'node_modules/.yarn-integrity': '',
    },
    'Yarn 1 has installed here (node_modules/.yarn-integrity).',
  ],
  [
    { 'api/requirements.txt': '' },
    'pyproject.toml asks for flask, which api/requirements.txt does not pin. Run: npm run add-api',
  ],
  [
    { 'api/requirements.txt': 'flask==4.0.1\n' },
    'pyproject.toml asks for flask>=3.1,<4, but api/requirements.txt pins 4.0.1.',
  ],
  [
    { 'pyproject.toml': '[project\n' },
    'pyproject.toml has no list "dependencies"',
  ],
  [{ '.env/file': '' }, '.env is a folder'],
  [
    { '.env': `A='${SECRET}\n` },
    '.env, line 1: the quote of A is not closed, or something follows it.',
  ],
  [{ '.env': `A=1\n=${SECRET}\n` }, '.env, line 2: this is not NAME=VALUE.'],
  [
    { '.env': 'FLASK_CORS_ORIGIN=https://a.example\n' },
    'FLASK_CORS_ORIGIN (.env): did you mean FLASK_CORS_ORIGINS?',
  ],
  [{ '.env': 'FLASK_PORT=5001\n' }, 'did you mean FLASK_RUN_PORT?'],
  [{ '.flaskenv': 'FLASK_APP=api/no.py\n' }, 'FLASK_APP names api/no.py'],
  [
    { '.env': 'REACTAPP_TITLE=a\n' },
    'REACTAPP_TITLE (.env): did you mean REACT_APP_TITLE?',
  ],
  [{ '.env': 'HTTPS=1\n' }, 'HTTPS (.env): write true or false; not "1".'],
  [
    { 'package.json': { proxy: '127.0.0.1:5000' } },
    '"proxy" in package.json is "127.0.0.1:5000".',
  ],
  [
    { 'kit/python/pyproject.toml': 'version = "0.1.0"\n', ...withKit() },
    'The halves of the kit differ: kit/node is 0.2.0, kit/python is 0.1.0.',
  ],
])('of %j it says %s', async (others, message) => {
  const { code, output } = await examine(others);
  expect(problemsIn(output)).toContain(message);
  const lines = output.split('\n').filter(Boolean);
  expect(lines).toEqual([...new Set(lines)]);
  // What one check meets does not keep the others from looking.
  expect(output).toMatch(/^ok {7}Node\.js/m);
  expect(output).not.toMatch(/could not be checked|undefined| {4}at /);
  expect(output).not.toContain(SECRET);
  expect(code).toBe(1);
});

function withKit() {
  return {
    'pyproject.toml': `${PYPROJECT}\n[tool.uv.sources]\nreact-flask-kit = { path = "kit/python" }\n`,
  };
}

function problemsIn(output) {
  const lines = output.split('\n');
  return lines.filter((line) => /^(problem| {9})/.test(line)).join('\n');
}

it.each([
  [
    { WEB_THREAD: '4' },
    'WEB_THREAD (the environment): did you mean WEB_THREADS?',
  ],
  [{ FLASK_RUN_PORT: '50000000' }, 'FLASK_RUN_PORT=50000000 is not a port.'],
  [{ PORT: 'abc' }, 'PORT=abc is not a port.'],
  [{ PYTHON: '/no/such/python' }, '/no/such/python: not found'],
  [{ PATH: '' }, 'This needs git, which is not found.'],
])('of the environment %j it says %s', async (env, message) => {
  const { code, output } = await examine({}, env);
  expect(problemsIn(output)).toContain(message);
  expect(output).not.toMatch(/could not be checked| {4}at /);
  expect(code).toBe(1);
});

it('.env in UTF-16 is a problem', async () => {
  const folder = project(files());
  const file = path.join(folder, '.env');
  fs.writeFileSync(file, Buffer.from('\uFEFFA=1\r\n', 'utf16le'));
  const { envFiles } = await import('../lib/doctor-settings.js');
  expect(envFiles()[0].text).toMatch(/^\.env is not UTF-8/);
});

it.each([
  ['settings of the app', { '.env': 'FLASK_MYTHING=1\nHTTP_PROXY=a\n' }],
  ['a byte order mark and Windows’ ends of lines', { '.env': '\uFEFFA=1\r\n' }],
  [
    'a setting of every table',
    { '.env': 'RELEASE_COMMAND=a\nWEB_THREADS=1\n' },
  ],
])('%s are no problem', async (_name, others) => {
  const { code, output } = await examine(others);
  expect(problemsIn(output)).toBe('');
  expect(code).toBe(0);
});

it.each([
  [{ '.env': 'ALLOWED_HOST=a\n' }, 'did you mean ALLOWED_HOSTS'],
  [{ '.env': 'VITE_TITLE=a\n' }, 'name it REACT_APP_TITLE'],
  [{ '.env': 'FLASK_ENV=production\n' }, 'does nothing since Flask 2.3'],
  [
    { '.env': `REACT_APP_DB_PASSWORD=${SECRET}\n` },
    'every visitor can read it',
  ],
  [
    { 'node_modules/.package-lock.json': {} },
    'npm has installed here .node_modules/.package-lock.json.. Delete',
  ],
  [
    { '.env.production': 'FLASK_PROXIES=1\n' },
    'the API does not read this file',
  ],
])('%j is a hint: %s', async (others, message) => {
  const { code, output } = await examine(others);
  expect(output).toMatch(new RegExp(`^hint .*${message}`, 'm'));
  expect(output).not.toContain(SECRET);
  expect(code).toBe(0);
});

describe('api/venv', () => {
  const home = 'home = /no/such/folder\n';

  it.each([
    [{ 'api/venv/pyvenv.cfg': home }, '(/no/such/folder) is gone'],
    [{ 'api/venv/x': '' }, 'its Python does not start'],
  ])('of %j it says %s', async (others, message) => {
    const { code, output } = await examine(others);
    expect(output).toMatch(/^hint {5}api\/venv cannot be used/m);
    expect(output).toContain(message);
    expect(code).toBe(0);
  });

  it('that takes the kit from another project is a problem', async () => {
    const packages = 'api/venv/lib/python3.12/site-packages';
    const { output } = await examine({
      ...withKit(),
      'kit/python/pyproject.toml': 'version = "0.2.0"\n',
      'kit/python/src/x': '',
      [`${packages}/react_flask_kit.pth`]: '/old/kit/python/src\n',
      [`${packages}/react_flask_kit-0.1.0.dist-info/METADATA`]: '',
    });
    expect(problemsIn(output)).toContain(
      'api/venv takes react_flask_kit from /old/kit/python/src, and not from kit/python',
    );
    expect(problemsIn(output)).toContain(
      'api/venv has react-flask-kit 0.1.0, and kit/python is 0.2.0',
    );
  });
});

it('a port of another program is a problem, which names it', async () => {
  const server = net.createServer((socket) => socket.destroy());
  onTestFinished(() => server.close());
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  const { code, output } = await examine({}, { FLASK_RUN_PORT: String(port) });
  expect(problemsIn(output)).toContain(`Port ${port} (the API) is taken by `);
  expect(code).toBe(1);
});

it('AirPlay Receiver is a hint', async () => {
  const { createServer } = await import('node:http');
  const server = createServer((_, response) =>
    response.writeHead(403, { Server: 'AirTunes/1' }).end(),
  );
  onTestFinished(() => server.close());
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  const { code, output } = await examine({}, { FLASK_RUN_PORT: String(port) });
  expect(output).toContain(
    `Port ${port} (the API) is taken by AirPlay Receiver`,
  );
  expect(code).toBe(0);
});

describe('who listens on a port', () => {
  const answers = (texts) => (program, args) =>
    Promise.resolve({ stdout: texts[[program, ...args].join(' ')] ?? '' });

  it('is told by lsof on macOS', async () => {
    const ask = answers({
      'lsof -nP -iTCP:5000 -sTCP:LISTEN -Fpc': 'p321\ncControlCenter\n',
      'lsof -a -p 321 -d cwd -Fn': 'p321\nfcwd\nn/Users/a/app\n',
    });
    expect(await holderOf(5000, 'darwin', ask)).toEqual({
      pid: 321,
      name: 'ControlCenter',
      folder: '/Users/a/app',
    });
  });

  it('is told by netstat and tasklist on Windows, in every language', async () => {
    const ask = answers({
      'netstat -ano -p TCP':
        '  TCP    0.0.0.0:50001   0.0.0.0:0   ABHÖREN   7\r\n' +
        '  TCP    127.0.0.1:5000  127.0.0.1:61  HERGESTELLT  8\r\n' +
        '  TCP    127.0.0.1:5000  0.0.0.0:0   ABHÖREN   4242\r\n',
      'tasklist /fi PID eq 4242 /fo csv':
        '"Image","PID"\r\n"node.exe","4242"\r\n',
    });
    expect(await holderOf(5000, 'win32', ask)).toEqual({
      pid: 4242,
      name: 'node.exe',
    });
  });

  it.each(['darwin', 'win32'])('may be nobody on %s', async (platform) => {
    expect(await holderOf(5000, platform, answers({}))).toBeUndefined();
  });
});

it.each([
  ['darwin', 'x64', '1\n', 'hint'],
  ['darwin', 'x64', '', 'ok'],
  ['darwin', 'arm64', '1\n', 'ok'],
  ['linux', 'x64', '1\n', 'ok'],
])('Node.js on %s for %s, translated: %j', (platform, arch, stdout, level) => {
  const versions = { node: '22.14.0' };
  const found = node({ platform, arch, versions }, () => ({ stdout }));
  expect(found.level).toBe(level);
});

describe('a misspelt setting', () => {
  const known = [
    'FLASK_CORS_ORIGINS',
    'FLASK_PROXIES',
    'FLASK_RUN_PORT',
    'PORT',
  ];

  it.each([
    ['FLASK_CORS_ORIGIN', 'FLASK_CORS_ORIGINS'],
    ['FLASK_CORS_ORIIGNS', 'FLASK_CORS_ORIGINS'],
    ['FLASK_PROXY', 'FLASK_PROXIES'],
    ['FLASK_PORT', 'FLASK_RUN_PORT'],
    ['flask_proxies', 'FLASK_PROXIES'],
    ['FLASK_PROXIES', undefined],
    ['FLASK_MYTHING', undefined],
    ['FLASK_RUN_CERT', undefined],
    ['PORTS', undefined],
  ])('%s is %s', (name, meant) => {
    expect(nearest(name, known)).toBe(meant);
  });
});

it('the tables of both READMEs are the settings that are known', () => {
  expect(documentedSettings()).toEqual(
    expect.arrayContaining([
      'PORT',
      'SSL_KEY_FILE',
      'WEB_THREADS',
      'FLASK_CSP',
    ]),
  );
});
