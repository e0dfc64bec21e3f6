/** `node kit/node COMMAND`, as package.json's scripts call it. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { project } from './projects.js';

const KIT = fileURLToPath(new URL('..', import.meta.url));

function launch(folder, args, { kit = KIT, env, node = [] } = {}) {
  const { status, stderr } = spawnSync(
    process.execPath,
    [...node, kit, ...args],
    { cwd: folder, env: { ...process.env, ...env }, encoding: 'utf8' },
  );
  return { status, stderr };
}

it.each([
  ['webpack', '"webpack"'],
  ['toString', '"toString"'],
  [undefined, '""'],
])('there is no command %s, and it says which there are', (name, shown) => {
  const { status, stderr } = launch(project(), name ? [name] : []);
  expect(status).toBe(1);
  expect(stderr).toContain(
    `There is no command ${shown}. The commands are: dev, start, start-api, test, `,
  );
  expect(stderr).not.toContain('    at ');
});

it.each([
  [['lint', '--fix'], 'lint takes no arguments, but was given: --fix'],
  [['format', 'src'], 'format takes no arguments, but was given: src'],
  [['prepare-api', 'x'], 'prepare-api takes no arguments, but was given: x'],
  [
    ['test', 'x'],
    'Vitest and pytest have other options. Give x to one of them',
  ],
  [['build', 'foo'], 'npm run build: foo is no option.'],
  [['serve', '--outDir', 'x'], 'npm run serve: there is no option --outDir.'],
  [['serve', '--port', '0x1F'], '--port=0x1F is not a port.'],
  [['dev', '3611'], 'For a port: npm run dev -- --port 3611'],
  [['start', '--prot', '3000'], 'npm run start: there is no option --prot.'],
  [['start-api', '-p', 'abc'], '--port=abc is not a port.'],
])('%j is refused by name before anything is done', (args, message) => {
  const folder = project({ 'package.json': {} });
  const { status, stderr } = launch(folder, args);
  expect(status).toBe(1);
  expect(stderr).toContain(message);
  expect(stderr).not.toContain('    at ');
  expect(fs.readdirSync(folder)).toEqual(['package.json']);
});

it('another folder than that of a project is named', () => {
  const folder = project();
  const { status, stderr } = launch(folder, ['start']);
  expect(status).toBe(1);
  expect(stderr).toContain(`There is no package.json in ${folder}.`);
});

it('an old Node.js is named', () => {
  const old = `Object.defineProperty(process, 'versions', { value: { node: '20.18.0' } })`;
  const node = ['--import', `data:text/javascript,${encodeURIComponent(old)}`];
  const { status, stderr } = launch(project(), ['check-installer'], { node });
  expect(status).toBe(1);
  expect(stderr).toContain('This is Node.js 20.18.0. Install 20.19, 22.12');
});

it('the exit code is that of the command', () => {
  const run = (agent) =>
    launch(project(), ['check-installer'], {
      env: { npm_config_user_agent: agent },
    });
  expect(run('npm/11.0.0').status).toBe(0);
  expect(run('yarn/1.22.22').status).toBe(1);
  expect(run('yarn/1.22.22').stderr).toContain('npm run add-frontend PACKAGE');
});

it('a fresh clone, which has no packages, can start it', () => {
  const folder = project({ 'package.json': {} });
  const kit = path.join(folder, 'kit');
  for (const name of ['package.json', 'launcher.js', 'commands', 'lib']) {
    fs.cpSync(path.join(KIT, name), path.join(kit, name), { recursive: true });
  }
  const { status, stderr } = launch(folder, ['check-installer'], {
    kit: './kit',
    env: { npm_config_user_agent: '' },
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
});
