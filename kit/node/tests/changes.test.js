/** Whom a file concerns that has changed, and that no change is missed. */
import fs from 'node:fs';
import path from 'node:path';
import { project, write } from './projects.js';

const importChanges = () => import('../lib/changes.js');
const DEBUG = { FLASK_DEBUG: '1' };

describe('a file that has changed', () => {
  it.each([
    ['api/api.py', DEBUG, 'api'],
    ['api/books/views.py', DEBUG, 'api'],
    ['api/api.py', {}, undefined],
    ['api/api.py', { FLASK_DEBUG: 'no' }, undefined],
    ['api/api.py', { ...DEBUG, FLASK_RUN_RELOAD: 'off' }, undefined],
    ['api/api.py', { FLASK_RUN_RELOAD: 'true' }, 'api'],
    ['.env', {}, 'api'],
    ['.flaskenv', {}, 'api'],
    ['src/.env', DEBUG, undefined],
    ['api/requirements.txt', {}, 'api packages'],
    ['api/requirements-dev.txt', {}, 'api packages'],
    ['pyproject.toml', {}, 'packages to pin'],
    ['package.json', {}, 'frontend packages'],
    ['yarn.lock', {}, 'frontend packages'],
    ['src/App.js', DEBUG, undefined],
    ['api/rates.json', DEBUG, undefined],
    [
      'api/rates.json',
      { ...DEBUG, FLASK_RUN_EXTRA_FILES: 'a:api/rates.json' },
      'api',
    ],
    ['tls/a.crt', { ...DEBUG, FLASK_RUN_CERT: 'tls/a.crt' }, 'api'],
    ['../shared/models.py', DEBUG, undefined],
    ['../shared/Button.jsx', DEBUG, undefined],
    [
      'api/made.py',
      { ...DEBUG, FLASK_RUN_EXCLUDE_PATTERNS: '*/made.py' },
      undefined,
    ],
    [
      'api/m1.py',
      { ...DEBUG, FLASK_RUN_EXCLUDE_PATTERNS: '*/m[!2-9].p?' },
      undefined,
    ],
    [
      'api/m2.py',
      { ...DEBUG, FLASK_RUN_EXCLUDE_PATTERNS: '*/m[!2-9].p?' },
      'api',
    ],
  ])('%s concerns, with %o, %s', async (name, env, expected) => {
    const folder = project();
    const { concernOf, watchSettings } = await importChanges();
    const listed = Object.entries(env).map(([key, value]) => [
      key,
      value.replace(':', path.delimiter),
    ]);
    const file = path.resolve(folder, name);
    const settings = watchSettings(Object.fromEntries(listed));
    expect(concernOf(file, settings)).toBe(expected);
  });
});

describe('a file outside of the project', () => {
  it('concerns the API once the app has loaded it', async () => {
    const file = path.resolve(project(), '../shared/models.py');
    const { concernOf, watchSettings } = await importChanges();
    expect(concernOf(file, watchSettings(DEBUG, [file]))).toBe('api');
  });
});

describe('a .env that cannot be read', () => {
  it('is told by who is started with it, and stops nobody who watches', async () => {
    const folder = project({ '.env': '\0' });
    const { concernOf } = await importChanges();
    expect(concernOf(path.join(folder, '.env'))).toBe('api');
    expect(concernOf(path.join(folder, 'api/api.py'))).toBeUndefined();
  });
});

describe('changes', () => {
  it('that come together are taken together, and once', async () => {
    project();
    const { Changes } = await importChanges();
    const changes = new Changes();
    const coming = changes.come();
    for (const file of ['a', 'b', 'a']) changes.add(file);
    await coming;
    expect(changes.take()).toEqual(['a', 'b']);
    expect(changes.take()).toEqual([]);
  });

  it('that nobody has taken are still there for who waits next', async () => {
    project();
    const { Changes } = await importChanges();
    const changes = new Changes();
    changes.add('a');
    await Promise.race([changes.come(), changes.come()]);
    await changes.come();
    expect(changes.take()).toEqual(['a']);
  });
});

describe('the known files', () => {
  it('tell what has changed unseen: new, other and deleted ones', async () => {
    vi.stubEnv('FLASK_DEBUG', '1');
    onTestFinished(() => vi.unstubAllEnvs());
    const folder = project({
      'api/a.py': '',
      'api/b.py': '',
      'api/c.py': '',
      'api/venv/pyvenv.cfg': '',
      'node_modules/x.py': '',
    });
    const { KnownFiles } = await importChanges();
    const known = new KnownFiles();
    expect(known.look()).toEqual([]);
    write(folder, {
      'api/a.py': 'new',
      'api/c.py': 'seen',
      'api/d.py': '',
      'api/venv/lib/y.py': '',
      'node_modules/z.py': '',
      '.git/hook.py': '',
      'src/App.js': '',
    });
    fs.rmSync(path.join(folder, 'api/b.py'));
    known.see(path.join(folder, 'api/c.py'));
    const names = known.look().map((file) => path.basename(file));
    expect(names.sort()).toEqual(['a.py', 'b.py', 'd.py']);
    expect(known.look()).toEqual([]);
  });
});
