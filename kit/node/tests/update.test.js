/** The parts of `npm run kit -- update`: versions, notes, the exchange of kit/ and back. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { makeFolder, project, remove } from './projects.js';

const releases = await import('../lib/releases.js');
const { changesOfReleases } = await import('../lib/release-notes.js');

it.each([
  ['0.3.0', true],
  ['v0.3.0', true],
  ['0.3', false],
  ['0.3.0-rc1', false],
  ['../starter', false],
  ['https://example.com/starter.git', false],
])('%s is a version: %s', (text, is) => {
  expect(releases.isVersion(text)).toBe(is);
});

it('the notes are those of the releases after the one, up to the other', () => {
  const changelog = ['0.4.0', '0.3.1', '0.3.0', '0.2.0']
    .map((version) => `## ${version}\n\n### New\n\n- News of ${version}.\n\n`)
    .join('');
  const notes = changesOfReleases(
    `# Changelog\n\n${changelog}`,
    '0.2.0',
    '0.3.1',
  );
  expect(notes.match(/News of .+/g)).toEqual([
    'News of 0.3.1.',
    'News of 0.3.0.',
  ]);
});

/** A project in git, whose kit/ has what this machine has installed, too. */
async function fork() {
  const folder = project({
    'package.json': { name: 'fork' },
    'yarn.lock': 'old\n',
    '.gitignore': 'node_modules/\nvenv/\n__pycache__/\n',
    'kit/node/package.json': { version: '0.2.0' },
    'kit/node/gone.js': 'old\n',
    'kit/node/node_modules/vite/index.js': 'installed\n',
    'kit/__pycache__/x.pyc': 'old\n',
  });
  const git = (...args) => execFileSync('git', args, { cwd: folder });
  git('init', '--quiet');
  git('add', '--all');
  const name = ['-c', 'user.name=Jane', '-c', 'user.email=jane@example.com'];
  git(...name, 'commit', '--quiet', '--message', 'Mine');
  const release = makeFolder({
    'kit/node/package.json': { version: '0.3.0' },
    'kit/node/new.js': 'new\n',
    'kit/node/node_modules/vite/index.js': 'of another machine\n',
    'kit/venv/bin/python': 'of another machine\n',
  });
  onTestFinished(() => remove(release));
  const swap = await import('../lib/kit-swap.js');
  const files = () =>
    fs
      .readdirSync(path.join(folder, 'kit'), { recursive: true })
      .filter((name) => path.extname(name))
      .sort();
  return { folder, kit: path.join(release, 'kit'), swap, files };
}

const JOURNAL = { from: '0.2.0', to: '0.3.0' };
const BEFORE = [
  '__pycache__/x.pyc',
  'node/gone.js',
  'node/node_modules/vite/index.js',
  'node/package.json',
];
const AFTER = [
  'node/new.js',
  'node/node_modules/vite/index.js',
  'node/package.json',
];

it.each([
  ['renamed'],
  ['copied, as on Windows where an editor has it open'],
])('a kit is put in the place of another one, and back, when folders are %s', async (how) => {
  const { folder, kit, swap, files } = await fork();
  const rename = fs.renameSync;
  if (how !== 'renamed') {
    vi.spyOn(fs, 'renameSync').mockImplementation((from, to) => {
      const isFolder = fs.statSync(from).isDirectory();
      if (!isFolder) return rename(from, to);
      throw Object.assign(new Error('open'), { code: 'EPERM' });
    });
  }
  const installed = () =>
    fs.readFileSync(
      path.join(folder, 'kit/node/node_modules/vite/index.js'),
      'utf8',
    );
  swap.swapKit(kit, JOURNAL);
  expect(files()).toEqual(AFTER);
  expect(installed()).toBe('installed\n');
  expect(swap.unfinishedUpdate()).toMatchObject(JOURNAL);

  fs.writeFileSync(path.join(folder, 'yarn.lock'), 'new\n');
  swap.takeBackSwap();
  expect(files()).toEqual(BEFORE);
  expect(installed()).toBe('installed\n');
  expect(fs.readFileSync(path.join(folder, 'yarn.lock'), 'utf8')).toBe('old\n');
  expect(swap.unfinishedUpdate()).toBeUndefined();
  expect(fs.existsSync(swap.updateFolder())).toBe(false);
});

it.each([
  ['before the first rename', 1],
  ['between the two', 2],
  ['before what is installed is carried over', 3],
])('a process that ends %s leaves what the next one takes back', async (_, nth) => {
  const { folder, kit, swap, files } = await fork();
  const rename = fs.renameSync;
  let calls = 0;
  const spy = vi.spyOn(fs, 'renameSync').mockImplementation((from, to) => {
    calls += 1;
    if (calls === nth) throw new Error('killed');
    return rename(from, to);
  });
  expect(() => swap.swapKit(kit, JOURNAL)).toThrow('killed');
  spy.mockRestore();
  expect(fs.existsSync(path.join(folder, 'kit'))).toBe(nth !== 2);
  swap.takeBackSwap();
  expect(files()).toEqual(BEFORE);
});

it('two projects of one repository do not meet', async () => {
  const { folder, kit, swap } = await fork();
  swap.swapKit(kit, JOURNAL);
  fs.mkdirSync(path.join(folder, 'apps/other'), { recursive: true });
  vi.spyOn(process, 'cwd').mockReturnValue(path.join(folder, 'apps/other'));
  vi.resetModules();
  const other = await import('../lib/kit-swap.js');
  expect(other.unfinishedUpdate()).toBeUndefined();
  expect(other.updateFolder()).not.toBe(swap.updateFolder());
});
