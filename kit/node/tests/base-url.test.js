/** "baseUrl" of tsconfig.json and jsconfig.json: what create-react-app knows of it. */
import path from 'node:path';
import { readBaseUrl } from '../vite/create-react-app/absolute-imports.js';
import { project } from './projects.js';

const options = (compilerOptions) => JSON.stringify({ compilerOptions });

function read(files) {
  const root = project({ 'page/src/index.js': '', ...files });
  const base = readBaseUrl({ root: path.join(root, 'page') });
  return base && (path.relative(path.join(root, 'page'), base) || '.');
}

it.each([
  ['src', options({ baseUrl: 'src' })],
  ['src', options({ baseUrl: './src/' })],
  ['.', options({ baseUrl: '.' })],
  ['.', options({ baseUrl: './' })],
  [undefined, options({ baseUrl: 'node_modules' })],
  [undefined, options({ baseUrl: '' })],
  [undefined, options({ strict: true })],
  [undefined, '{}'],
  [undefined, ''],
  [undefined, '{ "other": { "baseUrl": "src" } }'],
  [undefined, '{ "compilerOptions": null }'],

  ['src', `\uFEFF${options({ baseUrl: 'src' })}`],
  ['src', '{\r\n  "compilerOptions": {\r\n    "baseUrl": "src",\r\n  },\r\n}'],
  ['src', '{ "compilerOptions": { "baseUrl": "src" /* "lib" */ } } // lib'],
  [
    'src',
    '{ "compilerOptions": { /* "baseUrl": "lib",\n*/ "baseUrl": "src" } }',
  ],
  [undefined, '{ "compilerOptions": {\n// "baseUrl": "src"\n} }'],
  [
    'src',
    '{ "a": "https://b // c /*", "compilerOptions": { "baseUrl": "src" } }',
  ],
])('is %s in %j', (expected, text) => {
  expect(read({ 'page/tsconfig.json': text })).toBe(expected);
  expect(read({ 'page/jsconfig.json': text })).toBe(expected);
});

it('is nothing without such a file', () => {
  expect(read({})).toBeUndefined();
});

it('is that of tsconfig.json where both are there', () => {
  const files = {
    'page/tsconfig.json': options({ baseUrl: 'src' }),
    'page/jsconfig.json': options({ baseUrl: '.' }),
  };
  expect(read(files)).toBe('src');
});

describe('in a file that is extended', () => {
  it.each([
    ['src', './configs/base.json'],
    ['src', './configs/base'],
    ['src', ['./configs/other.json', './configs/base.json']],
    ['src', 'shared/tsconfig.json'],
    [undefined, './configs/other.json'],
    // A monorepo's file speaks of the monorepo.
    [undefined, '../tsconfig.base.json'],
  ])('is %s of %j', (expected, file) => {
    const files = {
      'page/configs/base.json': options({ baseUrl: '../src' }),
      'page/configs/other.json': options({ strict: true }),
      'page/node_modules/shared/tsconfig.json': options({
        baseUrl: '../../src',
      }),
      'tsconfig.base.json': options({ baseUrl: '.' }),
      'page/tsconfig.json': { extends: file },
    };
    expect(read(files)).toBe(expected);
  });

  it('gives way to that of the file itself', () => {
    const files = {
      'page/base.json': options({ baseUrl: 'lib' }),
      'page/tsconfig.json': {
        extends: './base.json',
        compilerOptions: { baseUrl: 'src' },
      },
    };
    expect(read(files)).toBe('src');
  });

  it('that is missing is named', () => {
    const files = { 'page/tsconfig.json': { extends: './missing.json' } };
    expect(() => read(files)).toThrow(
      "tsconfig.json cannot be read: File './missing.json' not found.",
    );
  });
});

it.each([
  ['lib', 'lib'],
  ['./src/lib', 'src/lib'],
])('may not be %s', (baseUrl, place) => {
  const files = { 'page/jsconfig.json': options({ baseUrl }) };
  expect(() => read(files)).toThrow(
    `"baseUrl" in jsconfig.json is "${place}". create-react-app knows "src", "node_modules" and ".".`,
  );
});
