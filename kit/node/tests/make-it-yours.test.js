import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { JSDOM } from 'jsdom';
import { transformWithOxc } from 'vite';
import { readNames, STARTER, slugOf } from '../lib/make-it-yours-names.js';
import { hashOf, ownPackage } from '../lib/make-it-yours-plan.js';
import { withNames } from '../lib/make-it-yours-texts.js';

const KIT = fileURLToPath(new URL('..', import.meta.url));
const ROOT = path.resolve(KIT, '../..');
const BLANK = path.join(KIT, 'blank');
/** What a fork does not keep as it is: the example, and what is about the starter. */
const SHIPPED =
  /^(src|tests|public(?!\/robots)|bench|examples)\/|^api\/[^/]+\.py$|^docs\/.*\.png$|^\.github\/workflows\/starter-|^(README|SECURITY)\.md$|^LICENSE$/;
const ODD = `Ünïcode "Böök" & <Shelf>'s`;

const names = (name, options) =>
  readNames(name, { packages: new Set(['flask', 'events']), ...options });

it.each([
  ['Book Shelf', 'book-shelf'],
  ['  Book   Shelf!  ', 'book-shelf'],
  ["Jane's Books", 'janes-books'],
  [ODD, 'unicode-book-shelf-s'],
  ['Straße nach Ærø', 'strasse-nach-aero'],
  ['ＢＯＯＫ ﬁles', 'book-files'],
  ['Book 📚 Shelf', 'book-shelf'],
  ['C# & C++', 'c-c'],
  ['test', 'test'],
  ['node_modules', 'node-modules'],
  ['<script>alert($&)</script>', 'script-alert-script'],
])('makes a short name of %s', (name, slug) => {
  expect(names(name).slug).toBe(slug);
  expect(names(name).name).toBe(name.trim());
});

it.each([
  ['', {}, 'The name is empty.'],
  [' \t', {}, 'The name is empty.'],
  ['…!?', {}, 'has no letter'],
  ['📚', {}, 'has no letter'],
  ['Book\nShelf', {}, 'line breaks'],
  ['Book\u2028Shelf', {}, 'line breaks'],
  ['Book\u202eflehS', {}, 'characters that nobody sees'],
  ['Book \ud800', {}, 'characters that nobody sees'],
  ['x'.repeat(61), {}, '61 characters; 60 are the most'],
  ['React + Flask', {}, 'is the starter'],
  ['react-flask-app', {}, 'is the starter'],
  ['React Flask App', {}, 'that of the starter'],
  ['日本', {}, '--slug my-project'],
  ['Книги Shelf', {}, '--slug my-project'],
  ['Book ٣', {}, '--slug my-project'],
  ['2048', {}, 'must begin with a letter'],
  ['3D Shelf', {}, 'must begin with a letter'],
  ['Book Shelf '.repeat(5), {}, '54 characters; 50 are the most'],
  ['Flask', {}, 'package that is used'],
  ['Yes', {}, 'YAML'],
  ['NULL', {}, 'YAML'],
  ['CON', {}, 'Windows'],
  ['com1', {}, 'Windows'],
  ['nginx', {}, 'is taken'],
  ['kube-system', {}, 'is taken'],
  ['Book', { slug: '' }, 'must begin with a letter'],
  ['Book', { slug: 'Book' }, 'must begin with a letter'],
  ['Book', { slug: 'my--book' }, 'must begin with a letter'],
  ['Book', { slug: 'book-' }, 'must begin with a letter'],
  ['Book', { slug: 'b_k' }, 'must begin with a letter'],
  ['Book', { slug: '../book' }, 'must begin with a letter'],
  ['Book', { description: ' ' }, 'The description is empty.'],
  ['Book', { description: 'a\r\nb' }, 'line breaks'],
  ['Book', { description: 'x'.repeat(201) }, '200 are the most'],
])('refuses %j with %j', (name, options, message) => {
  expect(() => names(name, options)).toThrow(message);
});

it('takes a short name that is given, for a name that makes none', () => {
  expect(names('日本', { slug: 'nihon' })).toEqual({
    name: '日本',
    slug: 'nihon',
    description: STARTER.description,
  });
});

it('makes a short name that npm, PyPI, Docker and DNS accept', () => {
  for (const name of ['Ab', 'a.b_c', ODD, 'x'.repeat(50)]) {
    expect(slugOf(name)).toMatch(/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/);
  }
});

const TRICKY = 'a"b\'c\\d$&e<f>{g}%PUBLIC_URL%`h`*_#|~';

it.each([
  ['a.json', '"React + Flask"', (text) => JSON.parse(text)],
  ['a.toml', '"React + Flask"', (text) => JSON.parse(text)],
  ['a.html', '<title>React + Flask</title>', textOfPage],
  ['a.html', '<meta content="React + Flask">', attributeOfPage],
  ['a.svg', '<text>React + Flask</text>', textOfPage],
  ['a.js', "'React + Flask'", evaluate],
  ['a.ts', '"React + Flask"', evaluate],
  ['a.js', '`React + Flask`', evaluate],
  ['a.tsx', 'h(<h1>React + Flask</h1>)', evaluate],
  ['a.js', 'h(\n  <h1>\n    React + Flask\n  </h1>,\n)', evaluate],
  ['a.service', 'Description=React + Flask: %N', ofSystemd],
  ['deploy/Dockerfile', 'LABEL title="React + Flask"', ofDocker],
  ['a.md', '# React + Flask', ofMarkdown],
  ['a.txt', 'React + Flask', (text) => text],
])('writes a name into %s so that it is read as it is: %s', async (...row) => {
  const [file, text, read] = row;
  const own = withNames(file, text, { ...STARTER, name: TRICKY });
  expect(await read(own, file)).toBe(TRICKY);
});

it('writes a name into a string of Python', () => {
  const text = withNames('a.py', 'x = "React + Flask"', {
    ...STARTER,
    name: `a"b'c\\d`,
  });
  expect(text).toBe(String.raw`x = "a\u0022b\u0027c\u005cd"`);
});

it.each([
  '1. x',
  '- x',
  '+ x',
  '> x',
  '=x',
  '12) x',
  '# x',
  '| x',
])('writes a description that begins like Markdown as a text: %s', (description) => {
  const own = withNames('a.md', STARTER.description, {
    ...STARTER,
    description,
  });
  expect(own).toMatch(/^(\d+)?\\/);
  expect(ofMarkdown(`# ${own}`)).toBe(description);
});

function pageOf(html) {
  return new JSDOM(html).window.document;
}

function textOfPage(html) {
  return pageOf(html).querySelector('title, text').textContent;
}

function attributeOfPage(html) {
  return pageOf(html).querySelector('meta').getAttribute('content');
}

async function evaluate(code, file) {
  const jsx = { runtime: 'classic', pragma: 'h' };
  const lang = file.endsWith('.ts') ? 'ts' : 'tsx';
  const compiled = await transformWithOxc(`h(${code})`, file, { lang, jsx });
  let last;
  const h = (...args) => {
    last = args.at(-1) ?? last;
    return undefined;
  };
  new Function('h', compiled.code)(h);
  return last;
}

function ofSystemd(line) {
  const [, value] = /^Description=(.*): %N$/.exec(line);
  expect(value.replaceAll('%%', '')).not.toContain('%');
  return value.replaceAll('%%', '%');
}

function ofDocker(line) {
  const [, value] = /^LABEL title="((?:\\.|[^\\"$])*)"$/.exec(line);
  return value.replace(/\\(.)/g, '$1');
}

/** Any ASCII punctuation may be escaped (CommonMark 0.31, 2.4). */
function ofMarkdown(line) {
  const [, text] = /^# (.*)$/.exec(line);
  expect(text.replace(/\\./g, '')).not.toMatch(/[`*_[\]<>&#|~$\\]/);
  return text.replace(/\\(.)/g, '$1');
}

it('takes from package.json what is about the starter, and leaves the rest', () => {
  const scripts = { dev: 'node kit/node dev', bench: 'mine' };
  const all = {
    name: STARTER.slug,
    version: '1.2.3',
    private: true,
    scripts: { ...scripts, 'test-kit': 'node kit/node test-kit' },
    homepage: '/shop',
  };
  const own = ownPackage(all, names('Book Shelf', { description: 'Books.' }));
  expect(JSON.stringify(own)).toBe(
    JSON.stringify({
      name: 'book-shelf',
      version: '1.2.3',
      description: 'Books.',
      private: true,
      scripts,
      homepage: '/shop',
    }),
  );
});

const TYPED = fs
  .readdirSync(path.join(BLANK, 'typescript/src'))
  .filter((file) => !file.endsWith('.d.ts'));

it.each(
  TYPED,
)('the blank of %s is that in JavaScript, with types', async (file) => {
  const typed = path.join(BLANK, 'typescript/src', file);
  const name = file.replace(/tsx?$/, 'js');
  const plain = [
    path.join(BLANK, 'javascript/src', name),
    path.join(ROOT, 'src', name),
  ];
  const [a, b] = await Promise.all([
    withoutTypes(typed),
    withoutTypes(plain.find((it) => fs.existsSync(it))),
  ]);
  expect(a).toBe(b);
});

/** Compiled alike, and without what a comment says of types. */
async function withoutTypes(file) {
  const text = fs
    .readFileSync(file, 'utf8')
    // Vitest has types of its `vi`, and of jest-dom beside it.
    .replaceAll('vi.spyOn', 'jest.spyOn')
    .replace('jest-dom/vitest', 'jest-dom')
    .replace(/^\/\/ @ts-nocheck.*$/m, '')
    .replace(/\/\*\*[\s\S]*?\*\//g, '');
  const { code } = await transformWithOxc(text, file, {
    lang: file.endsWith('.ts') ? 'ts' : 'tsx',
    jsx: 'preserve',
    sourcemap: false,
  });
  return code;
}

it('the README of the blank tells who answers a request as that of the starter does', () => {
  const section = /^## Who answers a request\n[\s\S]*?(?=^## )/m;
  const [own] = section.exec(read(BLANK, 'common/README.md'));
  expect(read(ROOT, 'README.md')).toContain(own);
});

it('knows what the starter shipped (vitest -u writes it anew)', async () => {
  const git = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const { stdout } = spawnSync('git', git, { cwd: ROOT, encoding: 'utf8' });
  const files = stdout
    .split('\0')
    .filter(
      (file) => SHIPPED.test(file) && fs.existsSync(path.join(ROOT, file)),
    );
  const hashes = files
    .sort()
    .map((file) => [file, hashOf(fs.readFileSync(path.join(ROOT, file)))]);
  await expect(
    `${JSON.stringify(Object.fromEntries(hashes), null, 2)}\n`,
  ).toMatchFileSnapshot('../blank/shipped.json');
});

function read(...place) {
  return fs.readFileSync(path.join(...place), 'utf8');
}
