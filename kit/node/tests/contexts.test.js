/** What an import may mean of which only a part is known. */
import path from 'node:path';
import {
  findFolder,
  listContext,
  readRequest,
} from '../vite/create-react-app/contexts.js';
import {
  evaluator,
  find,
  parseModule,
} from '../vite/create-react-app/syntax.js';
import { project } from './projects.js';

const evaluate = evaluator({ LANG: 'de' }, 'development');

function request(code) {
  const program = parseModule('/a.js', `import(${code})`);
  return readRequest(find(program, 'ImportExpression')[0].source, evaluate);
}

it.each([
  ['`./pages/${a}`', './pages/', ['./x', './x/y.js'], []],
  ['`./pages/${a}.js`', './pages/', ['./x.js'], ['./x', './x.jsx']],
  ["'./a/b' + c + '.png'", './a/', ['./b.png', './bx/y.png'], ['./c.png']],
  ['`./${a}/${b}.js`', './', ['./x/y.js'], ['./y.js']],
  ['`./${process.env.LANG}/${b}`', './de/', ['./x'], []],
  ['`../i18n/${a + 1}.json`', '../i18n/', ['./x.json'], ['./x.js']],
  ['`package/lib/${a}`', 'package/lib/', ['./x'], []],
  ['`./a.b/[${c}]`', './a.b/', ['./[x]'], ['./x']],
])('%s is of %s', (code, folder, those, others) => {
  const { test, ...found } = request(code);
  expect(found).toEqual({ folder });
  expect(those.filter((name) => !test.test(name))).toEqual([]);
  expect(others.filter((name) => test.test(name))).toEqual([]);
});

it.each([
  'a',
  '`${a}`',
  '`page${a}`',
  'f("./a/")',
])('%s is of no folder', (code) => {
  expect(request(code)).toBeUndefined();
});

const FILES = {
  'parts/a.js': '',
  'parts/b.web.tsx': '',
  'parts/c/index.jsx': '',
  'parts/d.png': '',
  'parts/.hidden.js': '',
  'parts/c/e.json': '',
};

it('lists files by each of their names', () => {
  const root = project(FILES);
  const found = listContext(path.join(root, 'parts'), /^\.\/.*$/);
  expect(found).toEqual([
    { file: './a.js', names: ['./a.js', './a'] },
    {
      file: './b.web.tsx',
      names: ['./b.web.tsx', './b', './b.web'],
    },
    {
      file: './c/e.json',
      names: ['./c/e.json', './c/e'],
    },
    {
      file: './c/index.jsx',
      names: ['./c/index.jsx', './c/index', './c/', './c'],
    },
    { file: './d.png', names: ['./d.png'] },
  ]);
});

it('lists what a regular expression and comments leave', () => {
  const folder = path.join(project(FILES), 'parts');
  const names = (test, options) =>
    listContext(folder, test, options).flatMap((it) => it.names);
  expect(names(/\.js$/g)).toEqual(['./a.js']);
  expect(names(/./, { isDeep: false, include: /\.png$/ })).toEqual(['./d.png']);
  expect(names(/\.js/, { exclude: /a/ })).toEqual([
    './c/e.json',
    './c/index.jsx',
  ]);
});

it('finds a folder beside the file, below baseUrl, and in packages', () => {
  const root = project({
    'src/parts/a.js': '',
    'src/deep/parts/b.js': '',
    'node_modules/pack/lib/c.js': '',
  });
  const from = path.join(root, 'src/deep/page.js');
  const base = path.join(root, 'src');
  const place = (request) => {
    const found = findFolder(request, from, base);
    return found && path.relative(root, found).replaceAll('\\', '/');
  };
  expect(place('./parts/')).toBe('src/deep/parts');
  expect(place('../parts/')).toBe('src/parts');
  expect(place('parts/')).toBe('src/parts');
  expect(place('pack/lib/')).toBe('node_modules/pack/lib');
  expect(place('./nowhere/')).toBeUndefined();
});
