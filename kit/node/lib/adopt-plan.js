import fs from 'node:fs';
import path from 'node:path';
import { ignoredFiles, printable } from './adopt-files.js';
import { scanSource } from './adopt-scan.js';
import {
  configFiles,
  parseBrowserslist,
  planEnv,
  planTests,
  writeTestOptions,
} from './adopt-settings.js';
import { problem, ROOT, readPackage, readProjectFile } from './project.js';

const CONFIG = 'vite.config.mjs';
// Of react-scripts, and what it brings or is changed by; src/ may import one of them all the same.
const KIN = new RegExp(
  `^(?!@types/)(${[
    '.*react-scripts.*|react-dev-utils|react-error-overlay|cra-.*|@rescripts/.*',
    '@?craco.*|customize-cra.*|react-app-(rewire|alias).*',
    '@babel/.*|babel-.*|.*webpack.*|.*-loader|.*eslint.*',
    '@jest/.*|jest(-.*)?|ts-jest|identity-obj-proxy',
    'node-sass|@storybook/preset-create-react-app',
  ].join('|')})$`,
);
const STARTERS = ['@biomejs/biome', 'react-flask-kit', 'vite'];
const ADDED = {
  sass: '^1.70.0',
  less: '^4.4.0',
  'vite-plugin-svgr': '^5.2.0',
  browserslist: '^4.28.0',
  'browserslist-to-esbuild': '^2.1.1',
  express: '^4.21.0',
  'flow-remove-types': '^2.300.0',
  tailwindcss: '^3.4.0',
  'whatwg-fetch': '^3.6.20',
};
// Of what old packages ask for, the newest no longer lets them in.
const RESOLUTIONS = {
  enzyme: { cheerio: '1.0.0-rc.12' },
  msw: { 'headers-polyfill': '3.0.10' },
};
const OPEN = /^(>|\*|x$|latest$|next$|$)/;
const TAKEN_KEYS =
  /^(name|version|private|resolutions|(devD|optionalD|peerD|d)ependencies|scripts|homepage|proxy|browserslist|jest)$/;
const PLAIN_SCRIPT =
  /^(react-scripts|craco|react-app-rewired) (start|build|test|eject)$/;
const STYLE_CONFIG = /^((postcss|tailwind)\.config\.\w+|\.postcssrc.*)$/;
const NOT_READ =
  /^(craco\.config\..*|config-overrides\..*|\.?babel(rc|\.config).*|jest\.config\..*)$/;
const LOCKFILE = /^(package-lock\.json|yarn\.lock|pnpm-lock\.yaml)$/;
const NOBODY_MISSES =
  /^(node_modules|build|\.git|\.gitignore|\.DS_Store|package\.json|README\.md|\.env|\.browserslistrc)$/;

/**
 * Plan what becomes of our project, without a change to anything.
 *
 * @param {import('./adopt-files.js').OldProject} old
 * @param {Pick<typeof import('vite'), 'parseSync' | 'Visitor'>} vite
 * @returns {{
 *   files: Map<string, { from: string } | { text: string }>,
 *   edits: Record<string, string>,
 *   copied: string[], left: string[], next: string[]
 * }} what is written in place of what is there, what is edited, and what to tell
 */
export function planAdoption(old, vite) {
  const names = fs.readdirSync(old.folder);
  const { imported, needed, unlisted } = scanSource(old, vite);
  const env = planEnv(old);
  const styles = names.filter(
    (name) => STYLE_CONFIG.test(name) && old.list(name)[0] === name,
  );
  const copies = [...old.pageFiles, ...configFiles(old), ...styles];
  const made = { ...env.files, ...baseUrl(old), ...tailwind(styles, needed) };
  const files = new Map([
    ...copies.map((file) => [file, { from: path.join(old.folder, file) }]),
    ...Object.entries(made).map(([file, text]) => [file, { text }]),
  ]);
  for (const { from } of files.values()) {
    if (from) fs.accessSync(from, fs.constants.R_OK);
  }
  for (const file of ignoredFiles(old.pageFiles)) {
    old.warn('Copied, but .gitignore keeps it out of git', file);
  }
  warnOfConfig(old, names);
  const tests = planTests(jestOf(old.package));
  const config = readProjectFile(CONFIG) ?? '';
  const { text, lines, isThere } = writeTestOptions(config, tests.test);
  const named = JSON.stringify(tests.test);
  const isUsed = (name) => imported.has(name) || named.includes(`"${name}`);
  const manifest = planPackage(old, isUsed, needed, unlisted);
  const others = names.filter(
    (name) =>
      ![NOBODY_MISSES, LOCKFILE].some((it) => it.test(name)) &&
      !isTaken(name, files),
  );
  return {
    files,
    edits: {
      'package.json': `${JSON.stringify(manifest.package, null, 2)}\n`,
      ...(text !== config && { [CONFIG]: text }),
    },
    copied: told({
      files: [...new Set([...files.keys()].map(topOf))],
      'of .env, in .env.development, .env.production and .env.test': env.moved,
      'package.json': manifest.taken,
      'packages that it needs and did not list': manifest.added,
      '"jest", in test of vite.config.mjs': isThere ? tests.taken : [],
    }),
    left: told({
      packages: manifest.dropped,
      scripts: manifest.scripts,
      'keys of package.json': manifest.keys,
      'of .env (here the file is for what the API or src/setupProxy.js reads)':
        env.left,
      '"jest", not needed': tests.unneeded,
      '"jest", for test of vite.config.mjs (vitest.dev/config)': tests.left,
      'the lockfile (versions are resolved anew, within the ranges of package.json)':
        names.filter((name) => LOCKFILE.test(name)),
      files: others,
    }),
    next: [
      !isThere && `Paste into ${CONFIG}, beside plugins: ${lines}`,
      'npm run dev, npm test, npm run build',
      others.some((name) => hasPython(path.join(old.folder, name))) &&
        "Copy the API's Python files into api/, and: npm run add-api NAME (docs/create-react-app.md)",
    ].filter(Boolean),
  };
}

/**
 * Find the packages that others ask for and nobody lists; npm installed them by itself.
 *
 * @returns {Record<string, string>} ranges, by name
 */
export function missingPeers() {
  const { dependencies, devDependencies } = readPackage();
  const missing = {};
  for (const name of Object.keys({ ...dependencies, ...devDependencies })) {
    const text = readProjectFile('node_modules', name, 'package.json');
    const { peerDependencies = {}, peerDependenciesMeta = {} } = JSON.parse(
      text ?? '{}',
    );
    for (const [peer, range] of Object.entries(peerDependencies)) {
      const isThere = fs.existsSync(path.join(ROOT, 'node_modules', peer));
      const isOptional = peerDependenciesMeta[peer]?.optional;
      if (!isThere && !isOptional && !KIN.test(peer)) missing[peer] = range;
    }
  }
  return missing;
}

function told(lists) {
  return Object.entries(lists)
    .filter(([, list]) => list.length > 0)
    .map(([name, list]) => printable(`${name}: ${list.join(', ')}`));
}

function topOf(file) {
  const [top, below] = file.split('/');
  return below ? `${top}/` : top;
}

function isTaken(name, files) {
  return files.has(name) || ['src', 'public'].includes(name);
}

/** NODE_PATH=src was the way to absolute imports before react-scripts 3. */
function baseUrl(old) {
  const places = [
    old.read('.env'),
    ...Object.values(old.package.scripts ?? {}),
  ];
  const isSet = places.some((text) =>
    /\bNODE_PATH=["']?(\.\/)?src\/?["']?(\s|$)/.test(text),
  );
  if (!isSet) return {};
  const [name] = configFiles(old);
  if (!name) {
    const config = { compilerOptions: { baseUrl: 'src' } };
    return { 'jsconfig.json': `${JSON.stringify(config, null, 2)}\n` };
  }
  const text = old.read(name);
  if (/"baseUrl"/.test(text)) return {};
  const options = /("compilerOptions"\s*:\s*\{)/;
  if (!options.test(text)) {
    old.warn('NODE_PATH=src is "baseUrl": "src" in compilerOptions', name);
    return {};
  }
  return { [name]: text.replace(options, '$1\n    "baseUrl": "src",') };
}

/** react-scripts 5 itself called Tailwind where it found its configuration. */
function tailwind(styles, needed) {
  if (!styles.some((name) => name.startsWith('tailwind'))) return {};
  needed.add('tailwindcss');
  if (styles.some((name) => name.includes('postcss'))) return {};
  return {
    'postcss.config.js': 'module.exports = { plugins: { tailwindcss: {} } };\n',
  };
}

function warnOfConfig(old, names) {
  for (const name of names.filter((it) => NOT_READ.test(it))) {
    const at = (old.read(name) ?? '').search(/\balias\b/);
    const remedy = "resolve: { alias: { '@': '/src' } } in vite.config.mjs";
    old.warn(`A file that is not read; an alias: ${remedy}`, name, at);
  }
  if (typeof old.package.proxy === 'object') {
    const at = old.manifestText.indexOf('"proxy"');
    old.warn(
      'A "proxy" that is an object is not read: write the address of the API, or src/setupProxy.js',
      'package.json',
      at,
    );
  }
}

/** Before react-scripts 4, mocks kept what they were told from test to test. */
function jestOf({ dependencies, devDependencies, jest }) {
  const scripts = { ...dependencies, ...devDependencies }['react-scripts'];
  return { ...(major(scripts) < 4 && { resetMocks: false }), ...jest };
}

function major(range = '') {
  return Number(/\d+/.exec(range)?.[0] ?? Number.NaN);
}

function hasPython(place) {
  if (!fs.lstatSync(place).isDirectory()) return place.endsWith('.py');
  return fs.readdirSync(place).some((name) => name.endsWith('.py'));
}

/** Put the old packages and settings into our package.json; the starter's own stay. */
function planPackage(old, isUsed, needed, unlisted) {
  const ours = readPackage();
  const { scripts = {}, ...theirs } = old.package;
  // npm installs all of these.
  theirs.dependencies = {
    ...theirs.optionalDependencies,
    ...theirs.peerDependencies,
    ...theirs.dependencies,
  };
  const before = { ...theirs.dependencies, ...theirs.devDependencies };
  if (!before.react) {
    throw problem(
      'The old project is none of React: its package.json lists no "react".',
    );
  }
  if (major(before.react) < 16) {
    throw problem(
      `The old project has React ${before.react}. Bring it to 16.14 or a newer one first.`,
    );
  }
  const settings = pageSettings(old);
  if (settings.browserslist) {
    needed.add('browserslist').add('browserslist-to-esbuild');
  }
  const isDropped = (name) =>
    STARTERS.includes(name) || (KIN.test(name) && !isUsed(name));
  const taken = (list = {}) =>
    Object.entries(list)
      .filter(([name]) => !isDropped(name))
      .map(([name, range]) => [name, rangeHere(name, range, old)]);
  const { react } = Object.fromEntries(taken(before));
  const kept = (list) =>
    Object.entries(list ?? {}).filter(
      ([name]) =>
        isDropped(name) || !(name in before || isReplaced(name, before)),
    );
  const added = [...needed].filter((name) => !(name in before));
  const list = (...entries) => Object.fromEntries(entries.flat().sort());
  return {
    package: {
      ...ours,
      ...settings,
      ...resolutions(before, ours, theirs),
      dependencies: list(
        kept(ours.dependencies),
        [...unlisted].filter(([name]) => !(name in before)),
        taken(theirs.dependencies),
      ),
      devDependencies: list(
        kept(ours.devDependencies),
        taken(theirs.devDependencies),
        added.map((name) => [name, ADDED[name]]),
      ),
    },
    taken: [
      ...Object.keys(settings),
      `${taken(before).length} packages (react ${react ?? 'as here'})`,
    ],
    added: [...added, ...unlisted.keys()],
    dropped: Object.keys(before).filter(isDropped),
    scripts: Object.entries(scripts)
      .filter(([, command]) => !PLAIN_SCRIPT.test(command))
      .map(([name, command]) => `${name} (${command})`),
    keys: Object.keys(theirs).filter((key) => !TAKEN_KEYS.test(key)),
  };
}

/** Versions of what packages ask for, by the key of Yarn's. */
function resolutions(before, ours, theirs) {
  const known = Object.entries(before)
    .filter(([name, range]) => name !== 'msw' || major(range) === 0)
    .map(([name]) => RESOLUTIONS[name]);
  const all = Object.assign({}, ...known, ours.resolutions, theirs.resolutions);
  return Object.keys(all).length > 0 ? { resolutions: all } : {};
}

/** What react-scripts read in package.json; without an old "proxy", ours says where the API is. */
function pageSettings(old) {
  const { homepage, proxy, browserslist } = old.package;
  const text = old.read('.browserslistrc');
  const browsers = browserslist ?? (text && parseBrowserslist(text));
  return {
    ...(homepage && { homepage }),
    ...(/^https?:/.test(proxy) && { proxy }),
    ...(browsers && { browserslist: browsers }),
  };
}

/** The example's testing libraries: the old project's replace them, and they need React 18. */
function isReplaced(name, before) {
  if (!name.startsWith('@testing-library/')) return false;
  const theirs = Object.keys(before).filter((it) =>
    it.startsWith('@testing-library/'),
  );
  if (theirs.length === 0) return major(before.react) < 18;
  // Since version 16, @testing-library/react leaves the other one to the project.
  const wantsDom =
    theirs.includes('@testing-library/react') &&
    !(major(before['@testing-library/react']) < 16);
  return !(name === '@testing-library/dom' && wantsDom);
}

function rangeHere(name, range, old) {
  // The first 16 with the JSX runtime that code is compiled for.
  const minor = /^~?16\.(\d+)/.exec(range)?.[1];
  if (/^react(-dom|-test-renderer)?$/.test(name) && minor < 14)
    return '^16.14.0';
  // What is open above was another version then.
  const installed = OPEN.test(range) && old.installedVersion(name);
  if (installed) return `^${installed}`;
  // The first with the interface that Vite calls.
  const sass = /^(\^?)[~=]?1\.(\d+)/.exec(range);
  if (name === 'sass' && !sass?.[1] && !(sass?.[2] >= 70)) return ADDED.sass;
  const [, kind, place] =
    /^(file:|link:|portal:)(?!\/|~|[a-z]:)(.+)$/i.exec(range) ?? [];
  if (!kind) return range;
  const between = path.relative(ROOT, path.resolve(old.folder, place));
  return kind + between.replaceAll(path.sep, '/');
}
