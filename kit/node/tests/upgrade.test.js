/** `npm run kit -- upgrade`: ranges, lockfiles, and what is said of a change. */
import { normalized, pinsIn } from '../lib/python-packages.js';
import { nearWords } from '../lib/spelling.js';
import {
  changesBetween,
  readUpgrade,
  refuseUpgrades,
  table,
} from '../lib/upgrades.js';
import { isInNpmRange, isInPythonRange, isMajor } from '../lib/versions.js';
import { lockedVersions, readLockfile } from '../lib/yarn-lock.js';
import { project } from './projects.js';

describe('a range of npm', () => {
  it.each([
    ['^19.3.1', '19.4.0', true],
    ['^19.3.1', '19.3.0', false],
    ['^19.3.1', '20.0.0', false],
    ['^19', '19.9.9', true],
    ['^19', '20.0.0', false],
    ['^0.30.21', '0.30.22', true],
    ['^0.30.21', '0.31.0', false],
    ['^0.0.3', '0.0.4', false],
    ['~6.9.1', '6.9.9', true],
    ['~6.9.1', '6.10.0', false],
    ['>=6.9.1', '7.0.0', true],
    ['2.4.16', '2.4.16', true],
    ['2.4.16', '2.4.17', false],
    ['2.4', '2.4.17', true],
    ['*', '1.0.0-beta.1', true],
    ['^19.3.1', '20.0.0-rc.1', undefined],
    ['latest', '1.0.0', undefined],
    ['workspace:*', '1.0.0', undefined],
    ['^1.0.0 || ^2.0.0', '1.0.0', undefined],
  ])('%s with %s: %s', (range, version, expected) => {
    expect(isInNpmRange(range, version)).toBe(expected);
  });
});

describe('a range of Python', () => {
  it.each([
    ['', '1.0', true],
    ['>=3.1.3', '3.1.3', true],
    ['>=3.1.3', '3.1', false],
    ['>=2.8.7,<2.9', '2.8.9', true],
    ['>=2.8.7,<2.9', '2.9.0', false],
    ['<=2', '2.0.0', true],
    ['>2', '2.0.0', false],
    ['==2.0', '2.0.0', true],
    ['==2.0.*', '2.0.9', true],
    ['!=2.0.*', '2.0.9', false],
    ['!=2.0', '2.1', true],
    ['~=3.1.2', '3.1.9', true],
    ['~=3.1.2', '3.2.0', false],
    ['~=3.1', '3.9', true],
    ['===3.1', '3.1', true],
    ['>=1.0', '2.0rc1', undefined],
    ['>=1!2', '1.0', undefined],
    ['>=1.0,<2', '2.0rc1', undefined],
    ['>=3,<1!2', '2.0', false],
  ])('%s with %s: %s', (range, version, expected) => {
    expect(isInPythonRange(range, version)).toBe(expected);
  });
});

it.each([
  ['1.2.3', '1.9.0', false],
  ['1.2.3', '2.0.0', true],
  ['0.30.1', '0.30.2', false],
  ['0.30.1', '0.31.0', true],
  ['26.3', '27.0', true],
  ['0.0.1', '0.0.2', true],
])('a change from %s to %s is a major one: %s', (from, to, expected) => {
  expect(isMajor(from, to)).toBe(expected);
});

const LOCKFILE = `__metadata:
  version: 10

"@a/b@npm:^1.0.0, @a/b@npm:^1.1.0":
  version: 1.2.0
  resolution: "@a/b@npm:1.2.0"
  dependencies:
    "@c/d": "npm:^2.0.0"
    e: "npm:1 || 2"
  peerDependencies:
    f: ^3
  languageName: node
  linkType: hard

"@a/b@npm:^2.0.0":
  version: 2.0.0
  resolution: "@a/b@npm:2.0.0"
  languageName: node
  linkType: hard

"app@workspace:.":
  version: 0.0.0-use.local
  resolution: "app@workspace:."
  dependencies:
    "@a/b": "npm:^1.0.0"
  languageName: unknown
  linkType: soft
`;

describe('a lockfile of Yarn', () => {
  it.each([
    ['\n', LOCKFILE],
    ['\n', LOCKFILE.replace(/^("@a\/b@npm:\^1.*"):$/m, '? $1\n:')],
    ['\r\n', LOCKFILE.replaceAll('\n', '\r\n')],
  ])('is read, with lines that end in %j', (_end, text) => {
    const [first, , root] = readLockfile(text);
    expect(first).toEqual({
      asked: ['@a/b@npm:^1.0.0', '@a/b@npm:^1.1.0'],
      name: '@a/b',
      version: '1.2.0',
      workspace: undefined,
      dependencies: { '@c/d': 'npm:^2.0.0', e: 'npm:1 || 2' },
    });
    expect(root).toMatchObject({ name: 'app', workspace: '.' });
    expect(lockedVersions(text)).toEqual(
      new Map([['@a/b', ['1.2.0', '2.0.0']]]),
    );
  });

  it('of another installer has no packages', () => {
    expect(readLockfile('# yarn lockfile v1\n\n\nreact@^19:\n')).toEqual([]);
  });
});

describe('pyproject.toml', () => {
  it('is read as far as it holds everywhere', async () => {
    project({
      'pyproject.toml': `[project]
dependencies = [
    "Flask_Thing[async]>=3.1, <4",  # why: "quoted>=1"
    'other',
    "b (>=1)",
    "only-here>=1; sys_platform == 'win32'",
    "from-address @ https://example.com/a.whl",
]

[dependency-groups]
dev = ["pytest>=9", { include-group = "docs" }]
docs = ["sphinx"]
`,
    });
    const { askedFor } = await import('../lib/python-packages.js');
    expect(askedFor('pyproject.toml', 'project', 'dependencies')).toEqual([
      { name: 'flask-thing', range: '>=3.1,<4' },
      { name: 'other', range: '' },
      { name: 'b', range: '>=1' },
    ]);
    expect(askedFor('pyproject.toml', 'dependency-groups', 'dev')).toEqual([
      { name: 'pytest', range: '>=9' },
    ]);
    expect(askedFor('pyproject.toml', 'project', 'no')).toBeUndefined();
    expect(askedFor('no.toml', 'project', 'dependencies')).toBeUndefined();
  });
});

it('what requirements pin is read with what is for some systems only', () => {
  const text = `Flask_Cors==6.0.5 \\
    --hash=sha256:0
uvloop==0.23.0 ; sys_platform != 'win32' \\
    --hash=sha256:0
`;
  expect(pinsIn(text)).toEqual([
    { name: 'flask-cors', version: '6.0.5', isForAll: true },
    { name: 'uvloop', version: '0.23.0', isForAll: false },
  ]);
});

it('changes say what was added, removed, and what may break', () => {
  const before = new Map([
    ['a', ['1.0.0']],
    ['b', ['1.0.0', '2.0.0']],
    ['c', ['1.0.0']],
    ['d', ['1.0.0']],
    ['e', ['1.0.0']],
    ['g', ['2.0.0']],
  ]);
  const after = new Map([
    ['a', ['1.1.0']],
    ['b', ['2.0.0']],
    ['c', ['2.0.0']],
    ['e', ['1.0.0']],
    ['f', ['3.0.0']],
    ['g', ['1.9.0']],
  ]);
  expect(changesBetween(before, after)).toEqual([
    { name: 'a', from: '1.0.0', to: '1.1.0', note: '' },
    { name: 'b', from: '1.0.0', to: '', note: 'removed' },
    { name: 'c', from: '1.0.0', to: '2.0.0', note: 'major' },
    { name: 'd', from: '1.0.0', to: '', note: 'removed' },
    { name: 'f', from: '', to: '3.0.0', note: 'added' },
    { name: 'g', from: '2.0.0', to: '1.9.0', note: 'older' },
  ]);
});

it('a table is one in Markdown', () => {
  expect(table(['Package', ''], [['@a/longer', 'major']])).toBe(
    '| Package   |       |\n| --------- | ----- |\n| @a/longer | major |',
  );
});

describe('what to upgrade', () => {
  const packages = {
    frontend: ['react', 'react-dom', 'events'],
    api: ['flask', 'flask-cors', 'events'],
  };
  const read = (...args) => readUpgrade(args, packages, normalized);

  it('is told by names and sides', () => {
    expect(read()).toEqual({ frontend: [], api: [] });
    expect(read('--api')).toEqual({ api: [] });
    expect(read('react', 'Flask.Cors')).toEqual({
      frontend: ['react'],
      api: ['flask-cors'],
    });
    expect(read('--api', 'events')).toEqual({ api: ['events'] });
  });

  it.each([
    [['events'], /^Both sides have a package events\. Say which one/],
    [['--api', 'react'], /^There is no package react among/],
    [['flask-cros'], /Did you mean flask-cors\?/],
    [['flask==3.2'], /flask==3\.2 is not the name of a package/],
    [['--all'], /there is no option --all\. There are: --frontend, --api/],
    [['react-flask-kit'], /npm run kit -- update/],
  ])('is not %j', (args, message) => {
    expect(() => read(...args)).toThrow(message);
  });

  it('may be the kit where it is a package of both indexes', () => {
    const all = { frontend: ['react-flask-kit'], api: ['react-flask-kit'] };
    expect(readUpgrade(['react-flask-kit'], all, normalized)).toEqual(all);
  });
});

it.each([
  ['--upgrade'],
  ['-U'],
  ['--upgrade-package=flask'],
  ['--latest'],
])('%s is not for a command that adds packages', (option) => {
  expect(() => refuseUpgrades(['flask', option])).toThrow(
    `${option}: newer packages are brought by npm run kit -- upgrade`,
  );
  expect(() => refuseUpgrades(['--dev', 'flask'])).not.toThrow();
});

it('near words come nearest first', () => {
  const words = ['react-dom', 'preact', 'react', 'vite'];
  expect(nearWords('raect', words)[0]).toBe('react');
  expect(nearWords('zzz', words)).toEqual([]);
});
