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
    'kit/node/launcher.js': 'old\n',
    'kit/node/gone.js': 'old\n',
    'kit/node/node_modules/vite/index.js': 'installed\n',
    'kit/__pycache__/x.pyc': 'old\n',
  });
  const name = ['-c', 'user.name=Jane', '-c', 'user.email=jane@example.com'];
  const git = (...args) =>
    execFileSync('git', [...name, ...args], { cwd: folder, encoding: 'utf8' });
  const commit = () => {
    git('add', '--all');
    git('commit', '--quiet', '--message', 'Mine');
  };
  git('init', '--quiet');
  fs.chmodSync(path.join(folder, 'kit/node/launcher.js'), 0o755);
  commit();
  const release = makeFolder({
    'kit/node/package.json': { version: '0.3.0' },
    'kit/node/launcher.js': 'new\n',
    'kit/node/new.js': 'new\n',
    'kit/node/node_modules/vite/index.js': 'of another machine\n',
    'kit/venv/bin/python.js': 'of another machine\n',
  });
  onTestFinished(() => remove(release));
  const swap = await import('../lib/kit-swap.js');
  const files = () =>
    fs
      .readdirSync(path.join(folder, 'kit'), { recursive: true })
      .filter((file) => file.endsWith('.js'))
      .sort();
  const read = (file) => fs.readFileSync(path.join(folder, file), 'utf8');
  return {
    folder,
    kit: path.join(release, 'kit'),
    ...{ swap, files, read, git, commit },
  };
}

const JOURNAL = { from: '0.2.0', to: '0.3.0' };
const INSTALLED = 'node/node_modules/vite/index.js';
const BEFORE = ['node/gone.js', 'node/launcher.js', INSTALLED];
const AFTER = ['node/launcher.js', 'node/new.js', INSTALLED];

/** Fail as on Windows, where an editor has a file of the folder open. */
function holdFolder(place) {
  const rename = fs.renameSync;
  vi.spyOn(fs, 'renameSync').mockImplementation((from, to) => {
    if (from !== place) return rename(from, to);
    throw Object.assign(new Error('open'), { code: 'EPERM' });
  });
}

it.each([
  ['renamed', () => {}],
  ['copied, as another program holds it', holdFolder],
])('a kit is put in the place of another one, and taken back, when it is %s', async (_, prepare) => {
  const { folder, kit, swap, files, read, git } = await fork();
  prepare(path.join(folder, 'kit'));
  swap.swapKit(kit, JOURNAL);
  expect(files()).toEqual(AFTER);
  expect(read(`kit/${INSTALLED}`)).toBe('installed\n');
  expect(swap.unfinishedUpdate()).toMatchObject(JOURNAL);
  expect(fs.existsSync(path.join(folder, '.kit-update'))).toBe(false);

  fs.writeFileSync(path.join(folder, 'yarn.lock'), 'new\n');
  expect(swap.takeBackSwap()).toBe(true);
  expect(files()).toEqual(BEFORE);
  expect(read(`kit/${INSTALLED}`)).toBe('installed\n');
  expect(read('yarn.lock')).toBe('old\n');
  expect(git('status', '--porcelain')).toBe('');
  expect(swap.unfinishedUpdate()).toBeUndefined();

  git('stash', 'pop', '--quiet');
  expect(files()).toEqual(AFTER);
  expect(read('yarn.lock')).toBe('new\n');
});

it.each([
  ['before the first rename', 1],
  ['between the two', 2],
  ['before what is installed is carried over', 3],
])('a process that ends %s leaves what the next one takes back', async (_, nth) => {
  const { folder, kit, swap, files, read, git } = await fork();
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
  expect(read(`kit/${INSTALLED}`)).toBe('installed\n');
  expect(git('status', '--porcelain')).toBe('');
});

it('what somebody writes meanwhile is put aside too, and not lost', async () => {
  const { folder, kit, swap, read, git } = await fork();
  swap.swapKit(kit, JOURNAL);
  const own = path.join(folder, 'package.json');
  fs.writeFileSync(own, '{"name": "mine"}');
  swap.takeBackSwap();
  expect(read('package.json')).toBe('{"name":"fork"}');
  git('stash', 'pop', '--quiet');
  expect(read('package.json')).toBe('{"name": "mine"}');
});

it.each([
  ['has committed the new kit', ({ commit }) => commit(), AFTER],
  [
    'has restored the old one',
    ({ git }) => git('stash', 'push', '--quiet', '--include-untracked'),
    BEFORE,
  ],
])('nothing is taken back once somebody %s', async (_, act, expected) => {
  const it = await fork();
  it.swap.swapKit(it.kit, JOURNAL);
  act(it);
  fs.writeFileSync(path.join(it.folder, 'yarn.lock'), 'mine\n');
  expect(it.swap.takeBackSwap()).toBe(false);
  expect(it.files()).toEqual(expected);
  expect(it.read('yarn.lock')).toBe('mine\n');
  expect(it.swap.unfinishedUpdate()).toBeUndefined();
});

it.each([
  [
    'a link',
    ({ kit }) => fs.symlinkSync('package.json', path.join(kit, 'node/link.js')),
    'A kit has no links, and this one has: node/link.js',
  ],
  [
    'a file that git would leave out',
    ({ folder }) =>
      fs.appendFileSync(path.join(folder, '.gitignore'), 'new.js\n'),
    'new.js',
  ],
  [
    'no folder to replace',
    ({ folder }) => {
      const place = path.join(folder, 'kit');
      fs.renameSync(place, path.join(folder, 'elsewhere'));
      fs.symlinkSync('elsewhere', place);
    },
    'kit/ is a link',
  ],
])('a release with %s is refused', async (_, prepare, message) => {
  const it = await fork();
  expect(() => it.swap.assertKitCanBeReplaced(it.kit)).not.toThrow();
  prepare(it);
  expect(() => it.swap.assertKitCanBeReplaced(it.kit)).toThrow(message);
});

it('a kit is the same by its files, whatever is installed', async () => {
  const { folder, kit, swap } = await fork();
  expect(swap.isSameKit(path.join(folder, 'kit'))).toBe(true);
  expect(swap.isSameKit(kit)).toBe(false);
});

it('a disk that does not know which files can be run makes no edit of them', async () => {
  const { folder, git } = await fork();
  git('config', 'core.fileMode', 'false');
  fs.chmodSync(path.join(folder, 'kit/node/launcher.js'), 0o644);
  const { treeOf } = await import('../lib/git.js');
  expect(treeOf('kit')).toBe(git('rev-parse', 'HEAD:kit').trim());
});

it('a hook of git, which sets where the index is, has it left as it is', async () => {
  const { folder, git } = await fork();
  vi.stubEnv('GIT_INDEX_FILE', path.join(folder, '.git/index'));
  fs.writeFileSync(path.join(folder, 'kit/node/mine.js'), '');
  const { treeOf } = await import('../lib/git.js');
  treeOf('kit');
  expect(git('status', '--porcelain')).toBe('?? kit/node/mine.js\n');
});

it('two projects of one repository do not meet', async () => {
  const { folder, kit, swap } = await fork();
  swap.swapKit(kit, JOURNAL);
  fs.mkdirSync(path.join(folder, 'apps/other'), { recursive: true });
  vi.spyOn(process, 'cwd').mockReturnValue(path.join(folder, 'apps/other'));
  vi.resetModules();
  const other = await import('../lib/kit-swap.js');
  expect(other.unfinishedUpdate()).toBeUndefined();
});

it.each([
  [
    'https://jane:secret@example.com/starter.git',
    'https://example.com/starter.git',
  ],
  ['git@example.com:starter.git', 'git@example.com:starter.git'],
  ['ssh://git@example.com/starter', 'ssh://git@example.com/starter'],
  ['../starter', '../starter'],
])('of %s, what is shown and remembered has no password', (address, shown) => {
  expect(releases.withoutPassword(address)).toBe(shown);
});
