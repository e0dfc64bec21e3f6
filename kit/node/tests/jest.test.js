/** Tests and snapshots that Jest 27 ran and wrote run here as they are: tests/jest_app. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeFolder } from './projects.js';

const FIXTURE = fileURLToPath(new URL('./jest_app', import.meta.url));
const PLUGIN = new URL('../vite/create-react-app/index.js', import.meta.url);
const VITEST = path.join(
  path.dirname(createRequire(import.meta.url).resolve('vitest/package.json')),
  'vitest.mjs',
);
const SNAPSHOTS = 'src/__tests__/__snapshots__/snapshots.test.js.snap';

/** Make a copy of the fixture, with our packages and its own. */
function makeApp() {
  const app = makeFolder({
    'vite.config.mjs': `
      import createReactApp from ${JSON.stringify(PLUGIN.href)};
      // The kit is not below this folder.
      export default {
        plugins: [createReactApp()],
        server: { fs: { strict: false } },
      };`,
    'package.json': '{ "private": true }',
    'public/index.html': '',
  });
  fs.cpSync(path.join(FIXTURE, 'src'), path.join(app, 'src'), {
    recursive: true,
  });
  const packages = path.dirname(path.dirname(VITEST));
  const modules = path.join(app, 'node_modules');
  fs.mkdirSync(modules);
  for (const name of fs.readdirSync(packages)) {
    if (name.startsWith('.')) continue;
    fs.symlinkSync(
      path.join(packages, name),
      path.join(modules, name),
      'junction',
    );
  }
  fs.cpSync(path.join(FIXTURE, 'packages'), modules, { recursive: true });
  return app;
}

function run(app, args = [], env = {}) {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [VITEST, '--run', ...args],
    {
      cwd: app,
      encoding: 'utf8',
      env: { ...clean(), NO_COLOR: '1', CI: '', ...env },
    },
  );
  return { status, output: stdout + stderr };
}

/** Vitest tells its children that they are in a test. */
function clean() {
  const own = Object.entries(process.env);
  return Object.fromEntries(own.filter(([name]) => !/^VI?TEST/.test(name)));
}

function read(app, file) {
  return fs.readFileSync(path.join(app, file), 'utf8');
}

function change(app, file, ...changes) {
  const before = read(app, file);
  const after = changes.reduce((text, [a, b]) => text.replace(a, b), before);
  expect(after).not.toBe(before);
  fs.writeFileSync(path.join(app, file), after);
}

let app;
beforeAll(() => {
  app = makeApp();
});
afterAll(() => fs.rmSync(app, { recursive: true, force: true }));

it.each([
  'true',
  '',
])('passes as it did, and writes nothing, with CI=%s', (CI) => {
  const { status, output } = run(app, [], { CI });
  expect(output).toMatch(/Test Files +8 passed/);
  expect(output).toMatch(/Tests +39 passed \| 1 skipped \| 1 todo/);
  expect(status).toBe(0);
  for (const file of fs.readdirSync(path.join(app, 'src'), {
    recursive: true,
  })) {
    if (!/\.\w+$/.test(file)) continue;
    const place = path.join('src', file);
    expect(read(app, place)).toBe(read(FIXTURE, place));
  }
}, 60_000);

describe('snapshots of Jest', () => {
  const file = 'src/__tests__/snapshots.test.js';

  beforeEach(() => {
    for (const place of [file, SNAPSHOTS])
      fs.copyFileSync(path.join(FIXTURE, place), path.join(app, place));
  });

  it('fail where something else is shown', () => {
    change(app, file, ["expect('text')", "expect('other')"], ['late', 'early']);
    const { status, output } = run(app, ['snapshots'], { CI: 'true' });
    expect(status).toBe(1);
    expect(output).toContain('`of errors 2` mismatched');
    expect(output).toContain('`between the lines 2` mismatched');
  });

  it('are kept, added and changed in the form of Jest', () => {
    change(
      app,
      file,
      ['data-x=', 'data-y='],
      ["expect('text')", "expect('other')"],
      [
        "test('with properties'",
        "describe('new', () => test('one', () =>\n" +
          "  expect({ a: '\"' }).toMatchSnapshot('hint')));\ntest('with properties'",
      ],
    );
    expect(run(app, ['snapshots', '-u']).status).toBe(0);
    const added =
      'exports[`new one: hint 1`] = `\nObject {\n  "a": "\\\\"",\n}\n`;\n\n';
    expect(read(app, SNAPSHOTS)).toContain(added);
    expect(
      read(app, SNAPSHOTS).replace(added, '').replaceAll('data-y', 'data-x'),
    ).toBe(read(FIXTURE, SNAPSHOTS));
    expect(read(app, file)).toContain('toMatchInlineSnapshot(`"other"`)');
  });

  it('that no test asks for are told, and are no failure', () => {
    change(app, SNAPSHOTS, [
      'exports[`of',
      'exports[`gone 1`] = `1`;\n\nexports[`of',
    ]);
    change(
      app,
      file,
      ['test.skip(', 'test('],
      ['expect(1).toMatchSnapshot();', ''],
    );
    const before = read(app, SNAPSHOTS);
    for (const [CI, words] of [
      ['true', '1 obsolete in snapshots.test.js.snap'],
      ['', 'Snapshots  1 obsolete'],
    ]) {
      const { status, output } = run(app, ['snapshots'], { CI });
      expect(status).toBe(0);
      expect(output).toContain(words);
      expect(output).toContain('gone 1');
      expect(read(app, SNAPSHOTS)).toBe(before);
    }
    run(app, ['snapshots', '-u']);
    expect(read(app, SNAPSHOTS)).toBe(read(FIXTURE, SNAPSHOTS));
  });

  it('live beside those of Vitest', () => {
    const snapshot =
      '// Vitest Snapshot v1, https://vitest.dev/guide/snapshot.html\n\n' +
      'exports[`a > b > hint 1`] = `\n{\n  "c": ""d"",\n}\n`;\n\n' +
      'exports[`a > b 1`] = `[Error: bad]`;\n';
    const name = 'src/vitest.test.js';
    const stored = 'src/__snapshots__/vitest.test.js.snap';
    fs.mkdirSync(path.join(app, 'src/__snapshots__'));
    fs.writeFileSync(path.join(app, stored), snapshot);
    fs.writeFileSync(
      path.join(app, name),
      `describe('a', () => {
        test('b', () => {
          expect({ c: '"d"' }).toMatchSnapshot('hint');
          expect(() => { throw new Error('bad'); }).toThrowErrorMatchingSnapshot();
        });
      });`,
    );
    const { status, output } = run(app, ['src/vitest', '-u']);
    expect(output).toMatch(/Tests +1 passed/);
    expect(status).toBe(0);
    expect(read(app, stored)).toBe(snapshot);
  });
});

it('says what a require() needs that cannot be waited for', () => {
  fs.writeFileSync(
    path.join(app, 'src/cannot.test.js'),
    `class Loader {
      load() { return require('./lib/math'); }
    }
    beforeEach(() => jest.resetModules());
    test('loads', () => { new Loader().load(); });`,
  );
  const { status, output } = run(app, ['cannot']);
  expect(status).toBe(1);
  const place = path.join('src', 'cannot.test.js');
  expect(output).toContain(`${place}:2: Vitest loads modules asynchronously`);
  expect(output).toContain('await import(…)');
});
