/** What the code of src/ says before it runs. */
import {
  evaluator,
  exportedNames,
  find,
  freeReferences,
  parseModule,
} from '../vite/create-react-app/syntax.js';

const ENV = { NODE_ENV: 'development', REACT_APP_MOCKS: 'true' };
const evaluate = evaluator(ENV, 'development');

function countFree(code, name = 'require') {
  const program = parseModule('/app/src/a.tsx', code);
  return freeReferences(program, new Set([name]), evaluate).length;
}

it.each([
  ["require('./a')", 1],
  ["const { a = require('./a') } = {}", 1],
  ["export default { ...require('./a'), [require('./b')]: 1 }", 2],
  ["<a b={require('./a')}>{require('./b')}</a>", 2],
  ['const a = { require }', 1],
  ['a.require; a?.require; ({ require: 1 }); class A { require() {} }', 0],
  ["function f(require) { require('./a') }", 0],
  ["const f = ({ a: [require] }) => require('./a'); require('./b')", 1],
  ["{ let require; require('./a') } require('./b')", 1],
  ["require('./a'); if (a) { var require }", 0],
  ["try {} catch (require) { require('./a') } require('./b')", 1],
  ["for (const require of a) require('./a')", 0],
  ["import require from 'a'; require('./a')", 0],
  ['export { require } from "a"; export { a as require } from "a"', 0],
  ['require: for (;;) break require', 0],
  ['let a: require.B; type require = 1; a as require', 0],
  ["enum A { B = require('./a') }", 1],
])('in %s it is free %i times', (code, times) => {
  expect(countFree(code)).toBe(times);
});

it.each([
  "if (process.env.NODE_ENV === 'production') require('./a')",
  "if (process.env.NODE_ENV !== 'production') {} else require('./a')",
  "process.env.REACT_APP_MOCKS !== 'true' && require('./a')",
  "process.env.REACT_APP_MOCKS || require('./a')",
  "'production' === process.env.NODE_ENV ? require('./a') : 1",
  "if (!process.env.REACT_APP_MOCKS) require('./a')",
  "if (process.env.REACT_APP_NONE) require('./a')",
  "if (module.hot) module.hot.accept('./a', () => require('./a'))",
  "if (module.hot && window.a) require('./a')",
  "if (typeof Buffer !== 'undefined') require('./a')",
  "if (void 0) require('./a')",
  "if (`${process.env.NODE_ENV}!` == 'production!') require('./a')",
])('what never runs requires nothing: %s', (code) => {
  expect(countFree(code)).toBe(0);
});

it.each([
  "if (window.process.env.A) require('./a')",
  "if (process.env[name]) require('./a')",
  "if (process.env.NODE_ENV === 'development') require('./a')",
  "process.env.REACT_APP_NONE ?? require('./a')",
])('what may run requires: %s', (code) => {
  expect(countFree(code)).toBe(1);
});

it('where process.env may change, only NODE_ENV is known', () => {
  const [{ argument }] = find(
    parseModule('/a.js', 'void process.env.REACT_APP_MOCKS'),
    'UnaryExpression',
  );
  expect(evaluate(argument)).toEqual({ value: 'true' });
  expect(evaluator(undefined, 'test')(argument)).toBeUndefined();
});

it.each([
  ['exports.a = module.exports.b = 1', ['b', 'a']],
  ['module.exports = { a, b: 1, "c": 2, "d-e": 3, [f]: 4, ...g }', 'abc'],
  ["Object.defineProperty(exports, '__esModule', {}); exports.default = 1", []],
  ["Object.defineProperty(exports, 'a', { get() {} })", ['a']],
  ["module.exports = require('./a')", []],
])('%s exports names', (code, names) => {
  const found = exportedNames(parseModule('/a.js', code));
  expect(found.sort()).toEqual([...names].sort());
});
