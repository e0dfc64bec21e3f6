/** Tests for Jest, written as tests for Vitest. */
import {
  MAY_BE_JEST,
  toVitest,
} from '../vite/create-react-app/jest-transform.js';

async function transform(code, options = {}) {
  const result = await toVitest(code, {
    file: '/app/src/a.test.js',
    isTest: true,
    resolve: async (name) => (/^[./]/.test(name) ? '/app/src/a.json' : name),
    isSource: () => false,
    packageMock: () => undefined,
    addVirtual: () => {},
    ...options,
  });
  return result?.code;
}

it.each([
  [
    'at the top',
    "const a = require('./a');",
    "const a = jest.required(await import('./a'), 'value');",
  ],
  [
    'in a test',
    "test('x', () => { require('./a').b(); });",
    "test('x', async () => { jest.required(await import('./a'), 'value').b(); });",
  ],
  [
    'in a function that a hook is',
    "function load() { a = require('./a') }\nbeforeEach(load);",
    "async function load() { a = jest.required(await import('./a'), 'value') }\nbeforeEach(load);",
  ],
  [
    'in functions that call one another',
    "const a = () => require('./a');\nconst b = () => a();\nit('x', () => b().c);",
    "const a = async () => jest.required(await import('./a'), 'value');\n" +
      'const b = async () => jest.awaited(await a());\n' +
      "it('x', async () => jest.awaited(await b()).c);",
  ],
  [
    'in what is expected to throw',
    "it('x', () => { expect(() => require('./a')).toThrow(); });",
    "it('x', async () => { expect(await jest.settled(async () => " +
      "jest.required(await import('./a'), 'value'))).toThrow(); });",
  ],
  [
    'in what nobody waits for',
    "import b from 'b';\nb.use(() => require('./a'));",
    "import b from 'b';\nconst jestLoaded1 = await jest.settled(async () => " +
      "jest.required(await import('./a'), 'value')); b.use(() => jestLoaded1());",
  ],
  [
    'in what nobody waits for, where modules are reset',
    "b.use(() => require('./a')); jest.resetModules();",
    'b.use(() => jest.cannotWait("require(\'./a\')")); jest.resetModules();',
  ],
])('require() %s', async (_where, jest, vitest) => {
  expect(await transform(jest)).toBe(vitest);
});

it.each([
  ["const require = createRequire(here); require('./a');"],
  ["test('x', () => { a.require('./a'); require.resolve('./a'); });"],
  ["test('x', ({ expect }) => { expect(1); });"],
  ["test('x', (context) => { context.skip(); });"],
  ["import { test } from 'vitest';\ntest('x', (done) => { done(); });"],
  ["describe('x', (done) => { done(); });"],
])('leaves %s', async (code) => {
  expect(await transform(code)).toBeUndefined();
});

it.each([
  [
    "test('x', (done) => done());",
    "test('x', jest.withDone((done) => done()));",
  ],
  [
    "it.only('x', function (cb) { later(cb); });",
    "it.only('x', jest.withDone(function (cb) { later(cb); }));",
  ],
  [
    "test.each(table)('x', ({ a }, done) => { done.fail(a); });",
    "test.each(table)('x', jest.withDoneAtEnd(({ a }, done) => { done.fail(a); }));",
  ],
  [
    'beforeAll((next) => { setTimeout(next); });',
    'beforeAll(jest.withDone((next) => { setTimeout(next); }));',
  ],
])('waits for the callback of %s', async (jest, vitest) => {
  expect(jest).toMatch(MAY_BE_JEST);
  expect(await transform(jest)).toBe(vitest);
});

it.each([
  ["jest.mock('./a');", "vi.mock('./a');"],
  [
    "jest.mock('./a', () => 1, { virtual: true });",
    "vi.mock('./a', jest.asModule(() => 1));",
  ],
  [
    "test('x', () => { jest.mock('./a', f); });",
    "test('x', () => { vi.doMock('./a', jest.asModule(f)); });",
  ],
  ["jest.mock('axios');", "vi.mock('axios', () => import('/mocks/axios.js'));"],
  ["jest.dontMock('axios');", "vi.doUnmock('axios');"],
  ["jest.setMock('./a', b);", "vi.doMock('./a', jest.asModule(() => (b)));"],
])('mocks as %s', async (jest, vitest) => {
  const virtual = [];
  const packageMock = (name) =>
    name === 'axios' ? '/mocks/axios.js' : undefined;
  const addVirtual = (name) => virtual.push(name);
  const code = await transform(jest, { packageMock, addVirtual });
  expect(code.replaceAll('"', "'")).toBe(vitest);
  expect(virtual).toEqual(jest.includes('virtual') ? ['./a'] : []);
});

it('leaves require() to who writes modules of the page', async () => {
  const code = "const a = require('./a'); export const b = jest.fn();";
  expect(await transform(code, { isTest: false })).toBeUndefined();
});

it('mocks a module of src/ also for what requires it', async () => {
  const isSource = () => true;
  const code = await transform("jest.mock('./a', () => 1)", { isSource });
  expect(code).toMatch(
    /;vi\.mock\("[^"]*\?commonjs", \(\) => jest\.requiredMock\(import\(/,
  );
});
