/** Whose warnings make a build fail where CI is set. */
import path from 'node:path';
import { isFaultOf } from '../vite/create-react-app/build.js';

const ROOT = path.resolve('/page/src/app');
const own = path.join(ROOT, 'src/App.js');

it.each([
  ['the app', true, { code: 'IMPORT_IS_UNDEFINED', id: own }],
  ['a place in the app', true, { code: 'EVAL', loc: { file: own } }],
  ['a file as seen from the project', true, { code: 'EVAL', id: 'src/App.js' }],
  [
    'the app, by a plugin',
    true,
    { code: 'PLUGIN_WARNING', plugin: 'x', id: own },
  ],
  [
    'a package',
    false,
    { code: 'EVAL', id: path.join(ROOT, 'node_modules/a/src/a.js') },
  ],
  [
    'a package in src/',
    false,
    { code: 'EVAL', id: path.join(ROOT, 'src/node_modules/a/a.js') },
  ],
  [
    'another project',
    false,
    { code: 'EVAL', id: path.resolve('/page/src/other/src/a.js') },
  ],
  [
    'a file beside src/',
    false,
    { code: 'EVAL', id: path.join(ROOT, 'srcs/a.js') },
  ],
  ['the page', false, { plugin: 'x', id: path.join(ROOT, 'index.html') }],
  ['nothing', false, { code: 'EVAL' }],
  ['nothing, by a plugin', false, { plugin: 'x' }],
  [
    'how to split the code',
    false,
    { code: 'INEFFECTIVE_DYNAMIC_IMPORT', id: own },
  ],
  ['a comment', false, { code: 'INVALID_ANNOTATION', id: own }],
])('a warning about %s: %s', (_, expected, log) => {
  expect(isFaultOf(ROOT, log)).toBe(expected);
});
