/**
 * What an editor and tsc say of calls of `getJson` and `send`, by the real TypeScript.
 *
 * Each case is a line of a file in JavaScript, and of one in TypeScript.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { CHECKED_JAVASCRIPT } from '../commands/types.js';
import { makeFolder, remove, write } from './projects.js';

const KIT = fileURLToPath(new URL('..', import.meta.url));
const API = path.join(KIT, '../../src/api.js');
const TYPES = 'src/api-types.d.ts';
// The one that is written in Go, and the last one that is not.
const COMPILERS = ['typescript@7.0.2', 'typescript@6.0.3'];

const ROUTES = `
export {};

export interface Note {
  id: number;
  text: string;
}

interface NewNote {
  text: string;
  tags?: string[];
}

interface Named {
  name: string;
}

declare module 'react-flask-kit/types' {
  interface Routes {
    '/time': { GET: { answer: Record<string, number> } };
    '/any': { GET: { answer: any } };
    '/notes': {
      GET: { answer: Note[] };
      POST: { body: NewNote; answer: Note };
    };
    '/notes/new': { GET: { answer: NewNote } };
    '/notes/<int:id>': {
      GET: { answer: Note };
      PATCH: { body?: NewNote; answer: Note };
      DELETE: { answer: undefined };
    };
    '/notes/<int:id>/names/<name>': { GET: { answer: Named } };
    '/people/<name>': { GET: { answer: Named }; PUT: { answer: Note | Named } };
    '/people/<int:id>': { GET: { answer: Note } };
    '/people/first/<int:id>': { GET: { answer: NewNote } };
    '/prices/<float:price>': { GET: { answer: Note } };
    '/pages/page-<name>': { GET: { answer: Named } };
    '/books/': { GET: { answer: Note } };
    '/files/<path:file>': { GET: { answer: Named } };
    '/files/<path:file>/notes': { GET: { answer: Note } };
    '/upload': { POST: { body: FormData | URLSearchParams; answer: Note } };
    '/either': { POST: { body: NewNote; answer: Note | undefined } };
  }
}
`;

const BEGIN = `import { ApiError, getJson, send } from './api';
const number = Number('5');
const text = String(5);
const anything = JSON.parse('5');
`;

const noOops = (type) => `Property 'oops' does not exist on type '${type}'.`;
const noRoute = (path, paths) =>
  `Argument of type '"${path}"' is not assignable to parameter of type '${paths}'.`;

const ANY_OF_THEM = /of type '("\/[^"]*"|\.\.\. \d+ more \.\.\.)( \| |'\.$)/;

/** What is written, and the error, if it is one. */
const CASES = [
  // A path without a variable, and what may follow it.
  ["(await getJson('/notes'))[0].txt", "type 'Note'. Did you mean 'text'?"],
  ["(await getJson('/notes'))[0].text"],
  ["(await getJson('/time')).now.oops", noOops('number')],
  ["(await getJson('/notes?page=2/3'))[0].oops", noOops('Note')],
  ["(await getJson('/notes#a?b'))[0].oops", noOops('Note')],
  ["(await getJson('/notes?page=2#a'))[0].oops", noOops('Note')],
  ["(await getJson('/notes/new')).oops", noOops('NewNote')],
  ["(await getJson('/books/')).oops", noOops('Note')],
  // Flask redirects.
  ["(await getJson('/books')).oops", noOops('Note')],
  // A variable.
  ["(await getJson('/notes/5')).txt", "type 'Note'. Did you mean 'text'?"],
  ['(await getJson(`/notes/${number}`)).oops', noOops('Note')],
  ['(await getJson(`/notes/${text}`)).oops', noOops('Note')],
  ['(await getJson(`/notes/${anything}`)).oops', noOops('Note')],
  ['(await getJson(`/notes/${number}?x=${text}`)).oops', noOops('Note')],
  ['(await getJson(`/notes/${number}/names/${text}`)).oops', noOops('Named')],
  ["(await getJson('/notes/5/names/me')).oops", noOops('Named')],
  ["(await getJson('/prices/1.5')).oops", noOops('Note')],
  ['(await getJson(`/pages/page-${text}`)).oops', noOops('Named')],
  // A number comes before a text, as in Flask.
  ["(await getJson('/people/5')).oops", noOops('Note')],
  ["(await getJson('/people/five')).oops", noOops('Named')],
  ['(await getJson(`/people/${number}`)).oops', noOops('Note')],
  [
    '(await getJson(`/people/${text}`)).oops',
    /'(Note \| Named|Named \| Note)'/,
  ],
  ["(await getJson('/people/first/5')).oops", noOops('NewNote')],
  // Over a slash goes a path alone.
  ["(await getJson('/files/a')).oops", noOops('Named')],
  ["(await getJson('/files/a/b.txt')).oops", noOops('Named')],
  [
    "(await getJson('/files/a/b/notes')).oops",
    /'(Note \| Named|Named \| Note)'/,
  ],
  ["await getJson('/people/a/b')", /^Argument of type '"\/people\/a\/b"'/],
  // What no route answers.
  ["await getJson('/nots/5')", /^Argument of type '"\/nots\/5"' .*"\/notes"/],
  ["await getJson('/upload')", ANY_OF_THEM],
  ["await getJson('/tim')", noRoute('/tim', '"/time"')],
  ["await getJson('/time/')", noRoute('/time/', '"/time"')],
  ["await getJson('/notes/five')", /^Argument of type '"\/notes\/five"'/],
  ['await getJson(`/notes/${number}/name`)', /^Argument of type '`\/notes/],
  ["await send('DELETE', '/time')", noRoute('/time', '"/notes/<int:id>"')],
  ["await getJson('')", ANY_OF_THEM],
  ["await getJson('/')", ANY_OF_THEM],
  ["await send('TRACE', '/time')"],
  // What nobody can tell is no mistake.
  ["(await getJson('/any')).oops"],
  ["(await getJson('/locales/de.json')).oops"],
  ["(await getJson('https://example.com/time')).oops"],
  ["(await getJson('//example.com/time')).oops"],
  ['(await getJson(text)).oops'],
  ['(await getJson(anything)).oops'],
  ['(await getJson(`${text}/notes`)).oops'],
  ['(await getJson(`/notes${text}`)).oops'],
  ['(await getJson(`/${text}`)).oops'],
  ["(await send(text, '/notes', 1)).oops"],
  ["(await send('PROPFIND', '/notes')).oops"],
  // What a page has beside it.
  ['process.env.REACT_APP_TITLE.toUpperCase()'],
  ["(await import('./logo.svg')).ReactComponent"],
  ["(await import('./logo.svg')).default.endsWith('svg')"],
  // Either of two.
  ["(await getJson(number ? '/notes/5' : '/people/5')).oops", noOops('Note')],
  // Sending.
  ["(await send('POST', '/notes', { text: '' })).oops", noOops('Note')],
  ["await send('POST', '/notes', { text: '', tags: ['a'] })"],
  [
    "await send('POST', '/notes', { text: 5 })",
    "not assignable to type 'string'.",
  ],
  [
    "await send('POST', '/notes', { txt: '' })",
    "Did you mean to write 'text'?",
  ],
  ["await send('POST', '/notes', { tags: [] })", "'text' is missing in type"],
  ["await send('POST', '/notes')", 'Expected 3-4 arguments, but got 2.'],
  ["(await send('post', '/notes', { text: '' })).oops", noOops('Note')],
  ["await send('PATCH', `/notes/${number}`)"],
  ["await send('PATCH', `/notes/${number}`, { text: '' })"],
  ["await send('PATCH', `/notes/${number}`, { text: 5 })", "type 'string'."],
  ["await send('PUT', '/people/me', 'whatever')"],
  ["await send('POST', '/upload', new FormData())"],
  ["await send('POST', '/upload', new URLSearchParams())"],
  [
    "await send('POST', '/upload', { text: '' })",
    "does not exist in type 'FormData | URLSearchParams'.",
  ],
  ["await send('POST', '/notes', { text: '' }, { signal: anything })"],
  ["await getJson('/notes', { signal: anything })"],
  ['new ApiError().fields.text.toUpperCase(); new ApiError().problem.title'],
];

let folder;

beforeAll(() => {
  folder = makeFolder({ 'package.json': { private: true } });
  const aliases = COMPILERS.map((it) => `${alias(it)}@npm:${it}`);
  execute('npm', ['install', '--no-audit', '--no-fund', ...aliases]);
  fs.mkdirSync(path.join(folder, 'node_modules/vite'));
  write(folder, {
    'node_modules/vite/client.d.ts':
      "declare module '*.svg' {\n  const src: string;\n  export default src;\n}\n",
    'jsconfig.json': CHECKED_JAVASCRIPT,
    'src/api.js': fs.readFileSync(API, 'utf8'),
  });
  fs.symlinkSync(
    KIT,
    path.join(folder, 'node_modules/react-flask-kit'),
    'junction',
  );
}, 120_000);

afterAll(() => remove(folder));

beforeEach(() => {
  const lines = CASES.map(([code]) => `async () => { ${code}; };\n`);
  write(folder, {
    [TYPES]: ROUTES,
    'src/calls.js': BEGIN + lines.join(''),
    'src/calls-in-typescript.ts': BEGIN + lines.join(''),
  });
});

describe.each(COMPILERS)('%s', (compiler) => {
  it.each([
    'calls.js',
    'calls-in-typescript.ts',
  ])('marks what is wrong in %s, and nothing else', (file) => {
    const found = check(compiler).filter((it) => it.file === `src/${file}`);
    const said = CASES.map((_, i) =>
      found
        .filter((it) => it.line === i + 1 + lineCount(BEGIN))
        .map((it) => it.message),
    );
    for (const [i, [code, error]] of CASES.entries()) {
      expect(said[i], code).toEqual(
        error ? [expect.stringMatching(error)] : [],
      );
    }
  });

  it('marks nothing elsewhere', () => {
    const elsewhere = check(compiler).filter(
      (it) => !/^src\/calls/.test(it.file),
    );
    expect(elsewhere).toEqual([]);
  });

  it('knows of an answer that may be empty', () => {
    write(folder, {
      'src/calls.js':
        "import { send } from './api';\nsend('POST', '/either', { text: '' }).then((it) => it.text);\n",
      'src/calls-in-typescript.ts': '',
    });
    expect(check(compiler, '--strict').map((it) => it.message)).toEqual([
      "'it' is possibly 'undefined'.",
    ]);
  });

  it('says that no route has a method', () => {
    write(folder, {
      [TYPES]: ROUTES.replace('PUT: { answer: Note | Named }', ''),
      'src/calls.js':
        "import { send } from './api';\nsend('PUT', '/notes', {});\n",
      'src/calls-in-typescript.ts': '',
    });
    expect(check(compiler).map((it) => it.message)).toEqual([
      noRoute('/notes', '"no route answers PUT"'),
    ]);
  });

  it('without the generated file everything may be asked for', () => {
    fs.rmSync(path.join(folder, TYPES));
    expect(check(compiler)).toEqual([]);
  });

  it('has not much to do for 300 routes that are asked for once each', () => {
    write(folder, manyRoutes(300));
    const { stdout } = tsc(compiler, '--extendedDiagnostics');
    expect(stdout).toContain("Property 'oops' does not exist on type 'Note7'.");
    const [, instantiations] = /^Instantiations:\s+(\d+)/m.exec(stdout);
    expect(Number(instantiations)).toBeLessThan(300_000);
  });
});

/** Three routes for each of so many things below one address, as large APIs have them. */
function manyRoutes(count) {
  const things = Array.from({ length: count / 3 }, (_, i) => i);
  const routes = things.map(
    (i) => `
    '/api/v1/things${i}': { GET: { answer: Note${i}[] }; POST: { body: Note${i}; answer: Note${i} } };
    '/api/v1/things${i}/<int:id>': { GET: { answer: Note${i} } };
    '/api/v1/things${i}/<int:id>/parts/<name>': { GET: { answer: string } };`,
  );
  const calls = things.map(
    (i) => `
  (await getJson('/api/v1/things${i}?page=2'))[0].id${i};
  (await getJson(\`/api/v1/things${i}/\${id}\`)).id${i};
  await getJson(\`/api/v1/things${i}/\${id}/parts/\${id}\`);`,
  );
  return {
    [TYPES]: `export {};
${things.map((i) => `interface Note${i} { id${i}: number }`).join('\n')}
declare module 'react-flask-kit/types' {
  interface Routes {${routes.join('')}
  }
}
`,
    'src/calls.js': `import { getJson } from './api';
export async function ask(id) {${calls.join('')}
  (await getJson(\`/api/v1/things7/\${id}\`)).oops;
}
`,
    'src/calls-in-typescript.ts': '',
  };
}

/** Run tsc in the folder; return what it says, in order. */
function check(compiler, ...options) {
  const { stdout } = tsc(compiler, ...options);
  const line = /^(.+)\((\d+),\d+\): error TS\d+: (.+(?:\n .+)*)/gm;
  const found = [...stdout.matchAll(line)].map(([, file, line, message]) => ({
    file,
    line: Number(line),
    message,
  }));
  if (found.length === 0) expect(stdout).toBe('');
  return found;
}

function tsc(compiler, ...options) {
  const file = `node_modules/${alias(compiler)}/bin/tsc`;
  const args = [file, '-p', 'jsconfig.json', '--pretty', 'false', ...options];
  return spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
}

function alias(compiler) {
  return compiler.replace(/@(\d+).*/, '$1');
}

function lineCount(text) {
  return text.split('\n').length - 1;
}

function execute(command, args) {
  const options = {
    cwd: folder,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  };
  const { status, stderr } = spawnSync(command, args, options);
  expect(status, stderr).toBe(0);
}
