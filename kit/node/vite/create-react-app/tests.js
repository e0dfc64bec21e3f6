import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { normalizePath } from 'vite';
import { isForTests } from '../../lib/project.js';
import { FILE, FILE_OF_PACKAGE, PACKAGES, SOURCE } from './files.js';
import { findPackageMocks, listSource, usePackageMocks } from './jest-mocks.js';
import { MAY_BE_JEST, toVitest } from './jest-transform.js';
import { isInstalled } from './packages.js';

const [SETUP, FETCH, RUNNER, SNAPSHOTS] = [
  'jest',
  'jest-fetch',
  'jest-runner',
  'jest-snapshots',
].map((name) =>
  normalizePath(fileURLToPath(new URL(`./${name}.js`, import.meta.url))),
);
const SOURCES = ['src/**/*.{js,jsx,ts,tsx}'];
// Between the lines, Vitest writes neither these words nor a thrown error as a text.
const OF_JEST =
  /InlineSnapshot\([^;]*?\b(Object \{|Array \[)|ThrowErrorMatchingInlineSnapshot\(\s*`\s*"/;
const VIRTUAL = '\0jest-virtual:';
const GLOBALS = `export const { jest, expect, describe, test, it, beforeAll, beforeEach,
  afterAll, afterEach, fit, fdescribe, xit, xtest, xdescribe } = globalThis;`;

/**
 * Run tests that were written for Jest, as "Running Tests" describes them.
 *
 * @param {import('./index.js').App} app
 * @returns {import('vite').Plugin}
 */
export function jestTests(app) {
  const virtual = new Set();
  let mocks = new Map();
  return {
    name: 'create-react-app:tests',
    apply: (_config, { command, mode }) =>
      command === 'serve' && mode === 'test',
    enforce: 'pre',
    config({ test = {} }) {
      const files = listSource(app);
      mocks = findPackageMocks(app, files);
      const setup = ['src/setupTests.js', 'src/setupTests.ts'];
      return {
        test: {
          environment: 'jsdom',
          globals: true,
          include: [
            'src/**/__tests__/**/*.{js,jsx,ts,tsx}',
            'src/**/*.{spec,test}.{js,jsx,ts,tsx}',
          ],
          env: app.pageEnv,
          setupFiles: [
            SETUP,
            ...(isInstalled(app.root, 'whatwg-fetch') ? [FETCH] : []),
            ...setup.filter((file) => app.has(file)),
          ],
          ...(hasJestSnapshots(app, files) && {
            runner: RUNNER,
            snapshotEnvironment: SNAPSHOTS,
          }),
          server: { deps: { inline: [FILE_OF_PACKAGE] } },
          // As identity-obj-proxy did: styles.button is 'button'.
          css: { modules: { classNameStrategy: 'non-scoped' } },
          // Before each test, as resetMocks did.
          mockReset: test.mockReset ?? true,
          // Jest lets a test stand alone, on a CI server too.
          allowOnly: test.allowOnly ?? true,
          coverage: {
            include: SOURCES,
            reporter: ['clover', 'json', 'lcov', 'text'],
          },
          watch: false,
        },
      };
    },
    async resolveId(id, importer, options) {
      if (id === '@jest/globals') return VIRTUAL + id;
      const place = placeOf(id, importer);
      if (!virtual.has(place)) return undefined;
      return (await this.resolve(id, importer, options)) ?? VIRTUAL + place;
    },
    load: {
      filter: { id: [FILE, FILE_OF_PACKAGE, /^\0jest-virtual:/] },
      handler(id) {
        if (id === `${VIRTUAL}@jest/globals`) return GLOBALS;
        if (id.startsWith(VIRTUAL)) return '';
        // Vite itself asks for no file of an asset.
        if (!fs.existsSync(id)) throw new Error(`Cannot find module '${id}'`);
        return fakeAsset(path.basename(id));
      },
    },
    transform: {
      filter: {
        id: [SOURCE, /\/create-react-app\/jest\.js$/],
        code: MAY_BE_JEST,
      },
      async handler(code, id) {
        const [file] = id.split('?');
        const resolve = async (name, from) =>
          (await this.resolve(name, from))?.id.split('?')[0];
        if (file === SETUP) {
          // The packages are the project's, wherever the kit itself is.
          const project = path.join(app.root, 'package.json');
          const find = (name) => resolve(name, project);
          const more = await usePackageMocks(mocks, find);
          return more && { code: code + more, map: null };
        }
        if (PACKAGES.test(file)) return undefined;
        return toVitest(code, {
          file,
          isTest: isForTests(file),
          resolve: (name) => resolve(name, id),
          isSource: (place) => SOURCE.test(place) && !PACKAGES.test(place),
          packageMock: (name) => mocks.get(name),
          addVirtual: (name) => virtual.add(placeOf(name, file)),
        });
      },
    },
  };
}

/** Where a module would be that only a mock makes. */
function placeOf(name, importer) {
  return importer && name.startsWith('.')
    ? normalizePath(path.resolve(path.dirname(importer), name))
    : name;
}

/** Snapshots of Jest's are in files that say so, or between the lines of tests. */
function hasJestSnapshots(app, files) {
  const read = (file) =>
    fs.readFileSync(path.join(app.root, 'src', file), 'utf8');
  const stored = files.filter((file) =>
    /\/?__snapshots__\/.*\.snap$/.test(file),
  );
  if (stored.some((file) => read(file).startsWith('// Jest Snapshot')))
    return true;
  return files
    .filter((file) => isForTests(`/src/${file}`) && /\.[jt]sx?$/.test(file))
    .some((file) => OF_JEST.test(read(file)));
}

/** In tests a file is its name, and an SVG also a component that shows it. */
function fakeAsset(name) {
  const file = JSON.stringify(name);
  if (!name.endsWith('.svg')) return `export default ${file};`;
  return `
    import { createElement } from 'react';
    export default ${file};
    export const ReactComponent = (props) => createElement('svg', props, ${file});`;
}
