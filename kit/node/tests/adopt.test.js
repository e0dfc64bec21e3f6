/** `npm run kit -- adopt FOLDER`: what becomes of the starter, and that nothing is lost. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as vite from 'vite';
import { makeFolder, project, remove, write } from './projects.js';

const STARTER = fileURLToPath(new URL('../../..', import.meta.url));
const OURS = {
  'package.json': {
    name: 'ours',
    proxy: 'http://127.0.0.1:5000',
    scripts: { dev: 'node kit/node dev' },
    dependencies: { react: '^19.3.1', 'react-dom': '^19.3.1' },
    devDependencies: {
      '@biomejs/biome': '2.4.16',
      '@testing-library/dom': '^10.4.2',
      '@testing-library/jest-dom': '~6.9.1',
      '@testing-library/react': '^16.3.3',
      'react-flask-kit': '*',
      vite: '^8.3.8',
    },
  },
  'vite.config.mjs': fs.readFileSync(
    path.join(STARTER, 'vite.config.mjs'),
    'utf8',
  ),
  'src/index.js': 'ours',
  'src/example/deep.js': 'ours',
  'public/index.html': 'ours',
  'public/robots.txt': 'ours',
  'tests/test_site.py': 'ours',
  'tests/test_api.py': 'ours',
};
const OLD = {
  'package.json': {
    dependencies: {
      react: '^18.0.0',
      'react-dom': '^18.0.0',
      'react-scripts': '5.0.1',
    },
  },
  'src/index.js': '',
  'public/index.html': '<div id="root"></div>',
};

/** Make both projects, ours committed; resolve to what adopts the old one, but for the packages. */
async function prepare(
  files = {},
  { ours = {}, commit = true, links = {} } = {},
) {
  const root = project({ ...OURS, ...ours });
  if (commit) git(root, 'init', '-q');
  if (commit) commitAll(root);
  const folder = makeFolder({ ...OLD, ...files });
  onTestFinished(() => remove(folder));
  for (const [place, target] of Object.entries(links)) {
    fs.symlinkSync(target, path.join(folder, place));
  }
  const { OldProject, assertNothingIsLost, writePlan } = await import(
    '../lib/adopt-files.js'
  );
  const { planAdoption } = await import('../lib/adopt-plan.js');
  const old = new OldProject(folder);
  return {
    root,
    folder,
    old,
    plan() {
      const {
        copied,
        left,
        next,
        edits,
        files: planned,
      } = planAdoption(old, vite);
      return {
        files: planned,
        edits,
        package: JSON.parse(edits['package.json']),
        told: [...copied, ...left, ...next].join('\n'),
        warnings: Object.fromEntries(old.warnings),
      };
    },
    write() {
      const plan = planAdoption(old, vite);
      writePlan(plan, assertNothingIsLost(plan.files));
    },
    read: (file) => fs.readFileSync(path.join(root, file), 'utf8'),
  };
}

function git(folder, ...args) {
  const identity = ['-c', 'user.name=a', '-c', 'user.email=a@example.com'];
  const { status, stderr } = spawnSync('git', [...identity, ...args], {
    cwd: folder,
  });
  expect(status, String(stderr)).toBe(0);
}

function commitAll(folder) {
  git(folder, 'add', '-A');
  git(folder, 'commit', '-qm', 'all');
}

function listFiles(folder, place = '') {
  return fs
    .readdirSync(path.join(folder, place), { withFileTypes: true })
    .filter(({ name }) => name !== '.git')
    .flatMap((entry) => {
      const name = path.posix.join(place, entry.name);
      return entry.isDirectory() ? listFiles(folder, name) : [name];
    });
}

function manifest(fields) {
  const { dependencies } = OLD['package.json'];
  return {
    'package.json': {
      ...fields,
      dependencies: { ...dependencies, ...fields.dependencies },
    },
  };
}

describe('the command', () => {
  it.each([
    [[], 'There is no command kit "". The commands are: adopt, '],
    [
      ['toString'],
      'There is no command kit "toString". The commands are: adopt, ',
    ],
    [['adopt'], 'Name the folder of one create-react-app project'],
    [['adopt', 'a', 'b'], 'Name the folder of one create-react-app project'],
  ])('%j is refused', async (args, message) => {
    project();
    const { kit } = await import('../commands/kit.js');
    await expect(kit(...args)).rejects.toThrow(message);
  });
});

describe('a folder', () => {
  const place = (files) => {
    const folder = makeFolder(files);
    onTestFinished(() => remove(folder));
    return folder;
  };
  it.each(
    [
      ['is not there', () => 'nowhere', 'There is no folder'],
      ['is the project itself', (root) => root, 'are in one another'],
      [
        'is inside of the project',
        (root) => `${root}/src`,
        'are in one another',
      ],
      [
        'has the project inside',
        (root) => path.dirname(root),
        'are in one another',
      ],
      ['has no package.json', () => place({}), 'it has no package.json'],
      [
        'has no entry',
        () => place({ ...OLD, 'src/index.js': {}, 'src/main.js': '' }),
        undefined,
      ],
      [
        'has another entry',
        () =>
          place({
            'package.json': {},
            'src/main.js': '',
            'public/index.html': '',
          }),
        'it has no src/index.js',
      ],
      [
        'has no page',
        () => place({ 'package.json': {}, 'src/index.tsx': '' }),
        'it has no public/index.html',
      ],
      [
        'has a broken package.json',
        () => place({ ...OLD, 'package.json': '{' }),
        'is not JSON',
      ],
    ].filter(([, , message]) => message),
  )('that %s is refused', async (_name, folder, message) => {
    const root = project(OURS);
    const { OldProject } = await import('../lib/adopt-files.js');
    expect(() => new OldProject(folder(root))).toThrow(message);
  });

  it('with a React before 16 is refused', async () => {
    const { plan } = await prepare(
      manifest({ dependencies: { react: '^15.6.2' } }),
    );
    expect(plan).toThrow(
      'The old project has React ^15.6.2. Bring it to 16.14',
    );
  });
});

describe('src/ and public/', () => {
  it("replace the example's, and its test of the page; the test of the API stays", async () => {
    const {
      root,
      write: adopt,
      read,
    } = await prepare({
      'src/App.jsx': 'old',
      'src/example': 'a file where a folder was',
      'public/a/b.txt': 'old',
    });
    adopt();
    expect(listFiles(root).sort()).toEqual([
      'package.json',
      'public/a/b.txt',
      'public/index.html',
      'src/App.jsx',
      'src/example',
      'src/index.js',
      'tests/test_api.py',
      'vite.config.mjs',
    ]);
    expect(read('src/App.jsx')).toBe('old');
  });

  it('leave the old project as it was', async () => {
    const { folder, write: adopt } = await prepare({
      '.env': 'PORT=3001\n',
      'src/a.js': 'a',
    });
    const before = listFiles(folder).map((file) => [
      file,
      fs.statSync(path.join(folder, file)).mtimeMs,
    ]);
    adopt();
    expect(
      listFiles(folder).map((file) => [
        file,
        fs.statSync(path.join(folder, file)).mtimeMs,
      ]),
    ).toEqual(before);
  });

  it.skipIf(process.platform === 'win32')(
    'follow links inside of the project only',
    async () => {
      const elsewhere = makeFolder({ 'secret.js': 'secret' });
      onTestFinished(() => remove(elsewhere));
      const links = {
        'src/shared': '../shared',
        'shared/up': '..',
        'src/elsewhere': elsewhere,
        'src/broken': 'nowhere',
      };
      const { plan } = await prepare({ 'shared/a.js': 'shared' }, { links });
      const { files, warnings } = plan();
      expect([...files.keys()]).toContain('src/shared/a.js');
      expect([...files.keys()].join()).not.toMatch(/elsewhere|broken/);
      expect(Object.values(warnings).flat()).toEqual(
        expect.arrayContaining(['src/elsewhere', 'src/broken']),
      );
    },
  );

  it.skipIf(process.platform === 'win32')(
    'do not write through links of ours',
    async () => {
      const {
        root,
        folder,
        write: adopt,
      } = await prepare({ 'src/a.js': 'old' });
      fs.rmSync(path.join(root, 'src'), { recursive: true });
      fs.symlinkSync(path.join(folder, 'src'), path.join(root, 'src'));
      commitAll(root);
      adopt();
      expect(fs.lstatSync(path.join(root, 'src')).isDirectory()).toBe(true);
      expect(listFiles(folder)).toContain('src/a.js');
    },
  );

  it('that git would ignore are told', async () => {
    const { plan } = await prepare(
      { 'src/build/a.js': '' },
      { ours: { '.gitignore': 'build/\n' } },
    );
    expect(
      plan().warnings['Copied, but .gitignore keeps it out of git'],
    ).toEqual(['src/build/a.js']);
  });
});

describe('nothing is lost:', () => {
  it.each([
    ['src/index.js', 'a change'],
    ['src/new.js', 'a new file'],
    ['.env.local', 'what git ignores'],
    ['tests/test_site.py', 'a change of the test'],
  ])('%s is named, and nothing written', async (file, text) => {
    const { root, write: adopt } = await prepare(
      { '.env.local': 'PORT=1\n' },
      { ours: { '.gitignore': '.env.local\n' } },
    );
    write(root, { [file]: text });
    const before = listFiles(root);
    expect(adopt).toThrow(
      `Nothing was changed, as these files would be lost:\n  ${file}\nCommit them first`,
    );
    expect(listFiles(root)).toEqual(before);
  });

  it('a second run finds what the first has written', async () => {
    const { write: adopt, read } = await prepare({
      'src/App.scss': '',
      '.env': 'PORT=3001\n',
      ...manifest({ jest: { resetMocks: false } }),
    });
    adopt();
    const before =
      read('package.json') + read('vite.config.mjs') + read('.env.test');
    adopt();
    expect(
      read('package.json') + read('vite.config.mjs') + read('.env.test'),
    ).toBe(before);
  });

  it('without git, another page than the example stays', async () => {
    const { write: adopt } = await prepare({}, { commit: false });
    expect(adopt).toThrow('Nothing was changed');
  });
});

describe('.env', () => {
  it('goes to the three files above it, for what they do not set', async () => {
    const {
      write: adopt,
      root,
      read,
    } = await prepare({
      '.env': 'REACT_APP_A=1\nREACT_APP_B="b # b"\nPORT=3001\n',
      '.env.production': '# ours\nREACT_APP_A=2\n',
      '.env.local': 'REACT_APP_A=3\n',
    });
    adopt();
    expect(read('.env.production')).toBe(
      "REACT_APP_B='b # b'\nPORT=3001\n# ours\nREACT_APP_A=2\n",
    );
    expect(read('.env.test')).toBe(
      "REACT_APP_A=1\nREACT_APP_B='b # b'\nPORT=3001\n",
    );
    expect(read('.env.local')).toBe('REACT_APP_A=3\n');
    expect(fs.existsSync(path.join(root, '.env'))).toBe(false);
  });

  it.each([
    [
      'REACT_APP_A=$B/a\nB=$C\nC=c\nD=d\n',
      { REACT_APP_A: 'c/a', B: 'c', C: 'c' },
    ],
    ['REACT_APP_A=\\$5\n', { REACT_APP_A: '$5' }],
    ['REACT_APP_A="it\'s # 1"\n', { REACT_APP_A: "it's # 1" }],
    ['REACT_APP_A="a\\nb"\n', { REACT_APP_A: 'a\nb' }],
    ['REACT_APP_A= a \nREACT_APP_B=\n', { REACT_APP_A: 'a', REACT_APP_B: '' }],
  ])('%j means what it meant', async (text, expected) => {
    const { write: adopt, root } = await prepare({ '.env': text });
    adopt();
    const { readEnvironment } = await import('../vite/create-react-app/env.js');
    const { REACT_APP_A, ...others } = readEnvironment(root, 'development');
    expect({ REACT_APP_A, ...others }).toMatchObject(expected);
    expect(others).not.toHaveProperty('D');
  });

  it('keeps what is not for the page, perhaps a secret, out of files in git', async () => {
    const { plan } = await prepare({ '.env': 'DATABASE_URL=secret\nPORT=1\n' });
    const { files, told } = plan();
    expect(JSON.stringify([...files])).not.toContain('secret');
    expect(told).toMatch(/^of \.env .*: DATABASE_URL$/m);
  });

  it('with NODE_PATH=src becomes a baseUrl', async () => {
    const { plan } = await prepare({ '.env': 'NODE_PATH=src/\n' });
    expect(JSON.parse(plan().files.get('jsconfig.json').text)).toEqual({
      compilerOptions: { baseUrl: 'src' },
    });
  });

  it('with a line that stops the frontend is told', async () => {
    const { plan } = await prepare({ '.env.test': 'A=1\na line\n' });
    expect(Object.values(plan().warnings).flat()).toEqual(['.env.test:2']);
  });
});

describe('the packages', () => {
  it('are the old ones without react-scripts and its kin, but for what src/ imports', async () => {
    const { plan } = await prepare({
      ...manifest({
        dependencies: {
          '@craco/craco': '^7',
          lodash: '^4',
          'react-hot-loader': '^4',
          'node-sass': '^4',
        },
        devDependencies: {
          'jest-fetch-mock': '^3',
          'babel-jest': '1',
          'eslint-config-x': '1',
          typescript: '~5.1.0',
          vite: '^2',
        },
      }),
      'src/setupTests.js': "require('jest-fetch-mock').enableMocks();",
      'src/App.js': "export * from 'react-hot-loader/root';",
      'src/App.scss': '',
    });
    const { package: written, told } = plan();
    expect(written.dependencies).toEqual({
      lodash: '^4',
      react: '^18.0.0',
      'react-dom': '^18.0.0',
      'react-hot-loader': '^4',
    });
    expect(written.devDependencies).toEqual({
      ...OURS['package.json'].devDependencies,
      'jest-fetch-mock': '^3',
      sass: '^1.70.0',
      typescript: '~5.1.0',
      'whatwg-fetch': '^3.6.20',
    });
    expect(told).toMatch(
      /^packages: react-scripts, @craco\/craco, node-sass, babel-jest, eslint-config-x, vite$/m,
    );
  });

  it.each([
    [{ react: '^16.8.0' }, {}],
    [
      { react: '^17.0.2', '@testing-library/react': '^12.0.0' },
      { '@testing-library/react': '^12.0.0' },
    ],
    [
      { react: '^19.0.0', '@testing-library/react': '^16.0.0' },
      {
        '@testing-library/react': '^16.0.0',
        '@testing-library/dom': '^10.4.2',
      },
    ],
    [
      { react: '^19.0.0' },
      {
        '@testing-library/dom': '^10.4.2',
        '@testing-library/jest-dom': '~6.9.1',
        '@testing-library/react': '^16.3.3',
      },
    ],
  ])('of the testing library fit: %j', async (dependencies, expected) => {
    const { plan } = await prepare(manifest({ dependencies }));
    const written = plan().package;
    const all = { ...written.dependencies, ...written.devDependencies };
    const names = Object.keys(all).filter((name) =>
      name.startsWith('@testing-library/'),
    );
    expect(Object.fromEntries(names.map((name) => [name, all[name]]))).toEqual(
      expected,
    );
  });

  it.each([
    ['react', '16.8.6', '^16.14.0'],
    ['react-dom', '~16.13.0', '^16.14.0'],
    ['react', '^16.8.0', '^16.8.0'],
    ['react', '17.0.2', '17.0.2'],
    ['sass', '1.32.0', '^1.70.0'],
    ['sass', '^1.32.0', '^1.32.0'],
  ])('%s %s becomes %s', async (name, range, expected) => {
    const { plan } = await prepare(
      manifest({ dependencies: { [name]: range } }),
    );
    expect(plan().package.dependencies[name]).toBe(expected);
  });

  it('that are folders are found from here', async () => {
    const { plan, root, folder } = await prepare(
      manifest({ dependencies: { lib: 'file:../lib' } }),
    );
    const [, place] = plan().package.dependencies.lib.split(':');
    expect(path.resolve(root, place)).toBe(path.resolve(folder, '../lib'));
  });

  it.each([
    ['sass', { 'src/a.module.sass': '' }],
    ['less', { 'src/a.less': '' }],
    [
      'vite-plugin-svgr',
      { 'src/a.js': "import a, { ReactComponent as A } from './a.svg';" },
    ],
    [
      'vite-plugin-svgr',
      { 'src/a.ts': "export { ReactComponent as A } from './a.svg';" },
    ],
    ['browserslist-to-esbuild', { '.browserslistrc': '> 1%' }],
    [
      'flow-remove-types',
      { 'src/a.js': '/**\n * @flow strict\n */\nconst a: number = 1;' },
    ],
    ['flow-remove-types', { 'src/a.js': 'const a: number = 1;' }],
    ['flow-remove-types', { 'src/a.js': '// @flow\nconst a = (1: any);' }],
    ['tailwindcss', { 'tailwind.config.js': '' }],
  ])('get %s for %j', async (name, files) => {
    const { plan } = await prepare(files);
    expect(plan().package.devDependencies).toHaveProperty(name);
  });
});

describe('settings', () => {
  it('of package.json are kept, but "proxy" where there is none', async () => {
    const { plan } = await prepare(
      manifest({ homepage: '/a', browserslist: ['> 1%'], eslintConfig: {} }),
    );
    const { package: written, told } = plan();
    expect(written).toMatchObject({
      name: 'ours',
      proxy: 'http://127.0.0.1:5000',
      homepage: '/a',
      browserslist: ['> 1%'],
      scripts: OURS['package.json'].scripts,
    });
    expect(told).toContain('keys of package.json: eslintConfig');
  });

  it.each([
    ['http://localhost:5001', 'http://localhost:5001', {}],
    [
      { '/api': {} },
      'http://127.0.0.1:5000',
      {
        'A "proxy" that is an object is not read: write the address of the API, or src/setupProxy.js':
          ['package.json:1'],
      },
    ],
  ])('"proxy": %j becomes %s', async (proxy, expected, warnings) => {
    const { plan } = await prepare(manifest({ proxy }));
    const planned = plan();
    expect(planned.package.proxy).toBe(expected);
    expect(planned.warnings).toEqual(warnings);
  });

  it.each([
    ['> 1%, not dead\n# all\nie 11\n', ['> 1%', 'not dead', 'ie 11']],
    [
      '[production staging]\n> 1%\n[development]\nlast 1 chrome version',
      {
        production: ['> 1%'],
        staging: ['> 1%'],
        development: ['last 1 chrome version'],
      },
    ],
    ['> 1%\n[test]\nie 11', { defaults: ['> 1%'], test: ['ie 11'] }],
  ])('.browserslistrc %j is read', async (text, expected) => {
    const { plan } = await prepare({ '.browserslistrc': text });
    expect(plan().package.browserslist).toEqual(expected);
  });

  it.each([
    './.yarnrc.yml',
    './.git/hooks/pre-commit',
    './kit/node/package.json',
    './package.json',
    './vite.config.mjs',
    './.vscode/settings.json',
  ])('of TypeScript bring no %s', async (place) => {
    const { plan } = await prepare({
      'tsconfig.json': JSON.stringify({ extends: place }),
      ...(place !== './package.json' && { [place]: 'hostile' }),
    });
    const { files, warnings } = plan();
    expect([...files.keys()]).not.toContain(place.slice(2));
    expect(Object.keys(warnings)).toContain('"extends": not copied');
  });

  it('tell nothing that a terminal obeys', async () => {
    const { plan } = await prepare(
      manifest({ scripts: { evil: '\u001b[2Jclear' } }),
    );
    expect(JSON.stringify(plan().told)).toContain('evil (?[2Jclear)');
  });

  it('list what npm installed, in the version that it was', async () => {
    const { plan } = await prepare({
      ...manifest({
        dependencies: { react: '>=16.8.0', 'custom-react-scripts': '0.2.0' },
        optionalDependencies: { reactstrap: '8.10.1' },
      }),
      'package-lock.json':
        '{ "packages": { "node_modules/react": { "version": "18.2.0" } } }',
    });
    const { dependencies } = plan().package;
    expect(dependencies.react).toBe('^18.2.0');
    expect(dependencies.reactstrap).toBe('8.10.1');
    expect(dependencies['custom-react-scripts']).toBeUndefined();
  });

  it('NODE_PATH becomes baseUrl, also in a tsconfig.json that is there', async () => {
    const { plan } = await prepare({
      '.env': 'NODE_PATH=src/\n',
      'tsconfig.json': '{\n  "compilerOptions": {\n    "strict": true\n  }\n}',
    });
    expect(plan().files.get('tsconfig.json').text).toContain(
      '"baseUrl": "src",\n    "strict": true',
    );
  });

  it('of TypeScript come with what they extend in the project', async () => {
    const { plan } = await prepare({
      'tsconfig.json':
        '{ "extends": ["./config/base", "@tsconfig/x", "../y.json"] }',
      'config/base.json': '{ "extends": "../paths.json" }',
      'paths.json': '{}',
    });
    const { files, warnings } = plan();
    expect([...files.keys()].filter((file) => file.endsWith('.json'))).toEqual([
      'tsconfig.json',
      'config/base.json',
      'paths.json',
    ]);
    expect(warnings).toEqual({ '"extends": not copied': ['tsconfig.json:1'] });
  });

  it('of Tailwind get the PostCSS that react-scripts had', async () => {
    const { plan } = await prepare({ 'tailwind.config.js': '' });
    expect([...plan().files.keys()]).toEqual(
      expect.arrayContaining(['tailwind.config.js', 'postcss.config.js']),
    );
    const { plan: withOwn } = await prepare({
      'tailwind.config.js': '',
      'postcss.config.cjs': '',
    });
    expect(withOwn().files.has('postcss.config.js')).toBe(false);
  });
});

describe('"jest"', () => {
  const JEST = {
    resetMocks: false,
    collectCoverageFrom: ['src/**/*.js', '!<rootDir>/src/index.js'],
    coverageThreshold: { global: { lines: 80 } },
    moduleNameMapper: {
      '^@/(.*)$': '<rootDir>/src/$1',
      '\\.(css|less)$': 'identity-obj-proxy',
    },
    snapshotSerializers: ['jest-serializer-x'],
    transformIgnorePatterns: [],
    watchPathIgnorePatterns: [],
  };
  const files = manifest({
    jest: JEST,
    devDependencies: { 'jest-serializer-x': '1', 'identity-obj-proxy': '3' },
  });

  it("is said in the starter's own vite.config.mjs", async () => {
    const { plan } = await prepare(files);
    const { edits, told, package: written } = plan();
    expect(
      edits['vite.config.mjs'],
    ).toBe(`import reactFlask from 'react-flask-kit/vite';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [reactFlask()],
  test: {
    mockReset: false,
    coverage: {
      include: ['src/**/*.js'],
      exclude: ['src/index.js'],
      thresholds: {
        lines: 80,
      },
    },
    alias: [
      {
        find: /^@\\/(.*)$/,
        replacement: '/src/$1',
      },
    ],
    snapshotSerializers: ['jest-serializer-x'],
  },
});
`);
    expect(told).toContain('"jest", not needed: transformIgnorePatterns\n');
    expect(told).toMatch(/^"jest", for test .*: watchPathIgnorePatterns$/m);
    expect(written.devDependencies).toHaveProperty('jest-serializer-x');
    expect(written.devDependencies).not.toHaveProperty('identity-obj-proxy');
  });

  it('is shown where vite.config.mjs is another one', async () => {
    const { plan } = await prepare(files, {
      ours: { 'vite.config.mjs': 'export default {}' },
    });
    const { edits, told } = plan();
    expect(Object.keys(edits)).toEqual(['package.json']);
    expect(told).toContain(
      'Paste into vite.config.mjs, beside plugins: test: {\n',
    );
  });

  it.each([
    ['3.4.4', { mockReset: false }],
    ['^4.0.3', undefined],
  ])('keeps the default of react-scripts %s', async (version, expected) => {
    const { plan } = await prepare(
      manifest({ dependencies: { 'react-scripts': version } }),
    );
    const config = plan().edits['vite.config.mjs'];
    expect(config?.includes('mockReset: false')).toBe(expected && true);
  });

  it('replaces the whole of a name', async () => {
    project();
    const { planTests } = await import('../lib/adopt-settings.js');
    const [{ find, replacement }] = planTests({
      moduleNameMapper: { 'lib/(a|b)': 'x-$1' },
    }).test.alias;
    expect('some/lib/b/c'.replace(find, replacement)).toBe('x-b');
  });
});

describe('a warning', () => {
  const MACRO = 'A macro of Babel: import what it writes';
  it.each([
    [
      "\nimport m from 'graphql.macro';",
      [MACRO, '"graphql.macro" is neither listed in package.json nor in src/'],
    ],
    ["\nimport m from '!!my-loader!./x';", ["A loader of webpack's"]],
    [
      "\nimport m from '../../internals/x';",
      ['Imports what is not in src/, and was not copied'],
    ],
    [
      "\nimport { it } from '@jest/globals';",
      [
        '@jest/globals: delete the import, they are global',
        '"@jest/globals" is neither listed in package.json nor in src/',
      ],
    ],
    [
      "\nconst a = require('unlisted/a');",
      ['"unlisted" is neither listed in package.json nor in src/'],
    ],
    [
      "\nimport crypto from 'crypto';",
      ['"crypto" of Node.js; the build says which package stands in'],
    ],
    ['\nexport default __webpack_require__;', ['__webpack_require__']],
    [
      '\n@observer class A {}',
      ['Decorators want "experimentalDecorators" in jsconfig.json'],
    ],
    ['\nconst a = ;', ['Unreadable: Unexpected token']],
  ])('of %j tells the line', async (code, texts) => {
    const { plan } = await prepare({ 'src/a.js': code });
    expect(plan().warnings).toEqual(
      Object.fromEntries(texts.map((text) => [text, ['src/a.js:2']])),
    );
  });

  it.each([
    ['src/a.js', "// require('crypto')\nconst a = `import x from 'y.macro'`;"],
    ['src/a.js', "import 'src/a'; import 'a'; import './b'; import('/c');"],
    ['src/a.js', "import m from 'styled-components/macro';"],
    ['src/a.js', "import url from '!!file-loader!./x';"],
    [
      'src/a.js',
      'module.exports = require("react/jsx-runtime"); if (module.hot) module.hot.accept();',
    ],
    ['src/a.ts', "import type { A } from 'csstype'; const a = <string>b;"],
    ['src/a.test.js', "import fs from 'node:fs'; import path from 'path';"],
    [
      'src/setupProxy.js',
      "const path = require('path'); module.exports = (app) => app.use((req, res) => res.end());",
    ],
  ])('is not given for %s: %s', async (file, code) => {
    const { plan } = await prepare({
      ...manifest({ dependencies: { 'styled-components': '6' } }),
      [file]: code,
    });
    expect(plan().warnings).toEqual({});
  });

  it('of decorators is not given where they are on', async () => {
    const { plan } = await prepare({
      'src/a.ts': '@observer class A {}',
      'tsconfig.json': { compilerOptions: { experimentalDecorators: true } },
    });
    expect(plan().warnings).toEqual({});
  });

  it('adds the fetch of react-scripts for tests that replace it', async () => {
    const added = async (code) =>
      (await prepare({ 'src/a.test.js': code })).plan().package.devDependencies;
    expect(await added("import { rest } from 'msw';")).toHaveProperty(
      'whatwg-fetch',
    );
    expect(await added('expect(1).toBe(1);')).not.toHaveProperty(
      'whatwg-fetch',
    );
  });

  it('adds Express for a src/setupProxy.js that wants more than app.use', async () => {
    const proxy = (code) => ({
      'src/setupProxy.js': `module.exports = (app) => { ${code} };`,
    });
    const added = async (files) =>
      (await prepare(files)).plan().package.devDependencies.express;
    const route = "app.get('/a', (req, res) => res.json({}));";
    expect(await added(proxy(route))).toBe('^4.21.0');
    expect(await added(proxy("app.use('/a', b);"))).toBeUndefined();
  });

  it('tells which files are not read, and where their alias is', async () => {
    const { plan } = await prepare({
      'craco.config.js': 'module.exports = {\n  webpack: { alias: {} } };',
      '.babelrc': '{}',
    });
    expect(Object.values(plan().warnings)).toEqual([
      ['.babelrc', 'craco.config.js:2'],
    ]);
  });
});

it('what stays behind is told', async () => {
  const { plan } = await prepare({
    ...manifest({
      scripts: {
        start: 'react-scripts start',
        test: 'CI=1 craco test',
        deploy: 'x',
      },
    }),
    Dockerfile: '',
    'server/app.py': '',
    'README.md': '',
  });
  const { told } = plan();
  expect(told).toContain('scripts: test (CI=1 craco test), deploy (x)');
  expect(told).toContain('files: Dockerfile, server\n');
  expect(told).toContain("Copy the API's Python files into api/");
});
