/**
 * The package as it is published, in projects that know nothing of the starter.
 *
 * Others were published without a part of their code, so it is the archive that is tested here.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { findFreePort } from '../lib/ports.js';
import { makeFolder, remove, write } from './projects.js';

const KIT = fileURLToPath(new URL('..', import.meta.url));
const VITE = createRequire(import.meta.url).resolve('vite/package.json');
const INSTALLED = path.resolve(VITE, '..', '..');
const HOST = '127.0.0.1';

/** What `npm create vite` makes for React, with this package added. */
const CREATE_VITE = {
  'package.json': { name: 'page', private: true, type: 'module' },
  'vite.config.js': `import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import flask from 'react-flask-kit/vite/flask';

export default defineConfig({ plugins: [react(), flask()] });
`,
  'index.html': `<!doctype html>
<title>create-vite</title>
<div id="root"></div>
<script type="module" src="/src/main.jsx"></script>
`,
  'src/main.jsx': `import { createRoot } from 'react-dom/client';
import App from './App.jsx';

createRoot(document.getElementById('root')).render(<App />);
`,
  'src/App.jsx': 'export default () => <h1>Page</h1>;\n',
};

/** What create-react-app made, started by Vite and all of this package. */
const CREATE_REACT_APP = {
  'package.json': { name: 'page', private: true },
  'vite.config.mjs': `import { defineConfig } from 'vite';
import reactFlask from 'react-flask-kit/vite';

export default defineConfig({ plugins: [reactFlask()] });
`,
  '.env': 'BROWSER=none\nREACT_APP_TITLE=create-react-app\n',
  'public/index.html': `<!doctype html>
<title>%REACT_APP_TITLE%</title>
<div id="root"></div>
`,
  'src/index.js': `import { createRoot } from 'react-dom/client';
import App from './App';

createRoot(document.getElementById('root')).render(<App />);
`,
  'src/App.js': 'export default () => <h1>Page</h1>;\n',
};

let archive;
let api;
let apiPort;

beforeAll(async () => {
  archive = makeFolder();
  execute('npm', ['pack', '--ignore-scripts', `--pack-destination=${archive}`]);
  const [name] = fs.readdirSync(archive);
  execute('tar', ['-xzf', name], archive);
  api = http.createServer((req, res) => {
    const isThere = req.url === '/time';
    const type = isThere ? 'json' : 'problem+json';
    res.writeHead(isThere ? 200 : 404, {
      'Content-Type': `application/${type}`,
    });
    res.end(JSON.stringify(isThere ? { time: 1 } : { title: 'Not Found' }));
  });
  await new Promise((done) => api.listen(0, HOST, done));
  apiPort = api.address().port;
});

afterAll(() => {
  remove(archive);
  api.close();
  api.closeAllConnections();
});

function execute(program, args, cwd = KIT) {
  // npm is a batch file on Windows.
  const shell = process.platform === 'win32' && program === 'npm';
  const options = { cwd, shell, encoding: 'utf8', env: environment() };
  const { status, stdout, stderr } = spawnSync(program, args, options);
  expect(`${status === 0 ? '' : stdout + stderr}${status}`).toBe('0');
  return stdout;
}

/** Without what the tests themselves were started with. */
function environment(more) {
  const own = { NODE_ENV: undefined, VITEST: undefined, NO_COLOR: '1' };
  return { ...process.env, ...own, FORCE_COLOR: undefined, ...more };
}

/** Make a project with the package in it, and all others that are installed here. */
function install(files) {
  const folder = makeFolder(files);
  const modules = path.join(folder, 'node_modules');
  fs.mkdirSync(modules);
  for (const name of fs.readdirSync(INSTALLED)) {
    if (name.startsWith('.') || name === 'react-flask-kit') continue;
    const place = path.join(modules, name);
    fs.symlinkSync(path.join(INSTALLED, name), place, 'junction');
  }
  const kit = path.join(modules, 'react-flask-kit');
  fs.cpSync(path.join(archive, 'package'), kit, { recursive: true });
  return folder;
}

function viteCommand(folder, ...args) {
  const script = path.join(folder, 'node_modules/vite/bin/vite.js');
  return [process.execPath, [script, ...args]];
}

/** Start Vite's development server, and stop it after the tests of this block. */
async function startVite(folder, env) {
  const port = await findFreePort(0, HOST);
  const args = ['--host', HOST, '--port', String(port), '--strictPort'];
  const [node, command] = viteCommand(folder, ...args);
  const options = { cwd: folder, env: environment(env) };
  const child = spawn(node, command, options);
  let output = '';
  child.stdout.on('data', (text) => {
    output += text;
  });
  child.stderr.on('data', (text) => {
    output += text;
  });
  await vi.waitFor(() => expect(output).toMatch(/ready in|Local:/), 20_000);
  return {
    get: (url, headers) =>
      fetch(`http://${HOST}:${port}${url}`, { headers, redirect: 'manual' }),
    async stop() {
      const end = once(child, 'exit');
      child.kill();
      await end;
    },
  };
}

it('the archive has all that is needed, and nothing else', () => {
  const folder = path.join(archive, 'package');
  const code = ['commands', 'lib', 'vite'].flatMap((name) =>
    filesIn(KIT, name).filter((file) => file.endsWith('.js')),
  );
  const top = ['LICENSE', 'README.md', 'launcher.js', 'package.json'];
  expect(filesIn(folder).sort()).toEqual(
    [
      ...top,
      ...code,
      ...filesIn(KIT, 'blank'),
      ...filesIn(KIT, 'types'),
    ].sort(),
  );
});

function filesIn(folder, part = '') {
  return fs
    .readdirSync(path.join(folder, part), {
      recursive: true,
      withFileTypes: true,
    })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .map((file) => path.relative(folder, file).replaceAll('\\', '/'));
}

it('what package.json names is in the archive', () => {
  const folder = path.join(archive, 'package');
  const { main, bin, exports } = JSON.parse(
    fs.readFileSync(path.join(folder, 'package.json'), 'utf8'),
  );
  expect(Object.keys(exports)).toEqual([
    './vite',
    './vite/flask',
    './vite/create-react-app',
    './vite/guard',
    './vite/policy',
    './vite/release',
    './client',
    './types',
    './package.json',
  ]);
  const exported = Object.values(exports).map((it) => it.types ?? it);
  for (const file of [main, bin, ...exported]) {
    expect(fs.existsSync(path.join(folder, file)), file).toBe(true);
  }
  const [first] = fs.readFileSync(path.join(folder, bin), 'utf8').split('\n');
  expect(first).toBe('#!/usr/bin/env node');
});

it('each package that it imports is among its dependencies', () => {
  const folder = path.join(archive, 'package');
  const { dependencies, peerDependencies } = JSON.parse(
    fs.readFileSync(path.join(folder, 'package.json'), 'utf8'),
  );
  const imported = new Set();
  for (const name of fs.readdirSync(folder, { recursive: true })) {
    // The blank is for a project that has packages of its own.
    if (!name.endsWith('.js') || name.startsWith('blank')) continue;
    const text = fs.readFileSync(path.join(folder, name), 'utf8');
    for (const [, from] of text.matchAll(
      /^(?:import|\}) .*'([^'.][^']*)';$/gm,
    )) {
      if (from.startsWith('node:')) continue;
      imported.add(/^(@[^/]+\/)?[^/]+/.exec(from)[0]);
    }
  }
  expect([...imported].sort()).toEqual([
    '@vitejs/plugin-react',
    'estree-walker',
    'get-tsconfig',
    'magic-string',
    'vite',
    'vitest',
    'whatwg-fetch',
  ]);
  expect(Object.keys({ ...dependencies, ...peerDependencies })).toEqual(
    expect.arrayContaining([...imported]),
  );
});

describe.each([
  {
    kind: 'create-vite',
    files: () => CREATE_VITE,
    env: () => ({ FLASK_RUN_PORT: String(apiPort) }),
    entry: '/src/main.jsx',
    output: 'dist',
    script: /src="\/assets\/index-[\w-]+\.js"/,
  },
  {
    kind: 'create-react-app',
    files: () => {
      const manifest = CREATE_REACT_APP['package.json'];
      const proxy = `http://${HOST}:${apiPort}`;
      return { ...CREATE_REACT_APP, 'package.json': { ...manifest, proxy } };
    },
    env: () => ({ FLASK_RUN_PORT: undefined }),
    entry: '/src/index.js',
    output: 'build',
    script: /src="\/static\/js\/main\.[\w-]+\.js"/,
  },
])('in a project of $kind', ({ kind, files, env, entry, output, script }) => {
  let folder;
  let vite;

  beforeAll(async () => {
    folder = install(files());
    vite = await startVite(folder, env());
  });

  afterAll(async () => {
    await vite?.stop();
    remove(folder);
  });

  it('a route of the API answers', async () => {
    const answer = await vite.get('/time');
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ time: 1 });
  });

  it("a route that is missing is the API's answer to a script", async () => {
    const answer = await vite.get('/no/such/route');
    expect(answer.status).toBe(404);
    const type = answer.headers.get('content-type');
    expect(type).toBe('application/problem+json');
    expect(await answer.json()).toEqual({ title: 'Not Found' });
  });

  it.each(['/', '/some/page'])('a person gets the page at %s', async (url) => {
    const answer = await vite.get(url, { Accept: 'text/html' });
    expect(answer.status).toBe(200);
    const html = await answer.text();
    expect(html).toContain(`<title>${kind}</title>`);
    expect(html).toContain(`src="${entry}"`);
  });

  it('the page has its scripts', async () => {
    const answer = await vite.get(entry);
    expect(answer.headers.get('content-type')).toMatch(/javascript/);
    expect(await answer.text()).not.toContain('<App />');
  });

  it('it is built', () => {
    execute(...viteCommand(folder, 'build'), folder);
    const file = path.join(folder, output, 'index.html');
    const html = fs.readFileSync(file, 'utf8');
    expect(html).toContain(`<title>${kind}</title>`);
    expect(html).toMatch(script);
  });
});

it("the plugin's option tells where the API is", async () => {
  const folder = install(CREATE_VITE);
  const config = CREATE_VITE['vite.config.js'];
  const target = `flask({ target: 'http://${HOST}:${apiPort}' })`;
  write(folder, { 'vite.config.js': config.replace('flask()', target) });
  const vite = await startVite(folder, { FLASK_RUN_PORT: undefined });
  onTestFinished(async () => {
    await vite.stop();
    remove(folder);
  });
  const answer = await vite.get('/time');
  expect(await answer.json()).toEqual({ time: 1 });
});
