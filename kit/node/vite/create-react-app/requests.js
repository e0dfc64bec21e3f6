import fs from 'node:fs';
import { builtinModules } from 'node:module';
import path from 'node:path';
import { normalizePath } from 'vite';
import { ownExports } from './deferred.js';
import { PACKAGES } from './files.js';
import { isInstalled } from './packages.js';
import { find, parseModule } from './syntax.js';

// Where Babel's macros only made names and styles better to read in development.
const WITHOUT_MACRO = {
  'styled-components/macro': 'styled-components',
  '@emotion/styled/macro': '@emotion/styled',
  '@emotion/react/macro': '@emotion/react',
  '@emotion/css/macro': '@emotion/css',
};
const LOADERS = {
  'file-loader': '?url',
  'url-loader': '?url',
  'raw-loader': '?raw',
  'worker-loader': '?worker',
};
/** What webpack 4 put in the place of Node.js's modules, and webpack 5 names when it is asked. */
const POLYFILLS = {
  assert: 'assert',
  buffer: 'buffer',
  crypto: 'crypto-browserify',
  events: 'events',
  http: 'stream-http',
  https: 'https-browserify',
  os: 'os-browserify',
  path: 'path-browserify',
  process: 'process',
  punycode: 'punycode',
  querystring: 'querystring-es3',
  stream: 'stream-browserify',
  string_decoder: 'string_decoder',
  timers: 'timers-browserify',
  tty: 'tty-browserify',
  url: 'url',
  util: 'util',
  vm: 'vm-browserify',
  zlib: 'browserify-zlib',
};
const OF_NODE = new RegExp(
  `^(node:)?(${builtinModules.filter((it) => /^[a-z]\w*$/.test(it)).join('|')})$`,
);
const EXTERNAL = /^__vite-browser-external/;

/**
 * Read what an import may name beside a file or a package: a macro, a loader, a module of
 * Node.js, react-native.
 *
 * @param {import('./index.js').App} app
 * @returns {import('vite').Plugin}
 */
export function requests(app) {
  return {
    name: 'create-react-app:requests',
    enforce: 'pre',
    config: () => ({ resolve: { alias: aliases(app.root) } }),
    resolveId: {
      filter: {
        id: [/!|[./]macro(\.c?js)?$|\.worker(\.[jt]s)?$/, OF_NODE],
      },
      async handler(id, importer, options) {
        if (!importer || PACKAGES.test(importer)) return undefined;
        const from = normalizePath(path.relative(app.root, importer));
        if (id.includes('!')) return this.resolve(loaded(id, from), importer);
        if (/\.worker(\.[jt]s)?$/.test(id)) {
          return worker(await this.resolve(id, importer, options));
        }
        if (!/[./]macro(\.c?js)?$/.test(id)) {
          if (app.isTest || !from.startsWith('src/')) return undefined;
          const found = await this.resolve(id, importer, options);
          if (found && EXTERNAL.test(found.id)) throw ofNode(id, from);
          return found;
        }
        if (app.isTest && (await this.resolve(id, importer, options))) {
          return undefined;
        }
        throw new Error(
          `${from} imports ${id}. Macros are run by Babel, which is not here: import what the ` +
            "macro writes, from the macro's package.",
        );
      },
    },
  };
}

function aliases(root) {
  const made = Object.entries(WITHOUT_MACRO).map(([macro, name]) => [
    macro,
    name,
  ]);
  for (const [name, polyfill] of Object.entries(POLYFILLS)) {
    if (name !== polyfill && isInstalled(root, polyfill)) {
      made.push([name, polyfill]);
    }
  }
  const all = made.map(([name, replacement]) => ({
    find: new RegExp(`^${name}$`),
    replacement,
  }));
  if (isInstalled(root, 'react-native-web')) {
    all.push({
      find: /^react-native(?=$|\/)/,
      replacement: 'react-native-web',
    });
  }
  return all;
}

/** As worker-loader was used: what such a file exports by default is its worker. */
function worker(found) {
  if (!found || !/\.worker\.[jt]s$/.test(found.id)) return found;
  const program = parseModule(found.id, fs.readFileSync(found.id, 'utf8'));
  if (!program) return found;
  const [exported] = find(program, 'ExportDefaultDeclaration');
  const isOwn = exported
    ? !isNothing(exported.declaration)
    : ownExports(program).includes('default');
  return isOwn ? found : `${found.id}?worker`;
}

/** In TypeScript, the default export is `{} as …` or `null as …`, for its type. */
function isNothing({ type, expression, properties, value }) {
  if (/^TS(As|Satisfies)Expression$/.test(type)) return isNothing(expression);
  return properties?.length === 0 || (type === 'Literal' && value === null);
}

/** Read webpack's `!!raw-loader!./file.txt`. */
function loaded(id, from) {
  const parts = id.split('!').filter(Boolean);
  const file = parts.pop();
  const [loader] = parts.at(-1)?.split('?') ?? [];
  if (parts.length === 0) return file;
  if (LOADERS[loader]) return file + LOADERS[loader];
  throw new Error(
    `${from} imports ${id}. The loader ${loader} is webpack's; there is a way without one for: ` +
      `${Object.keys(LOADERS).join(', ')}.`,
  );
}

function ofNode(id, from) {
  const polyfill = POLYFILLS[id.replace('node:', '')];
  const remedy = polyfill
    ? `Run: npm run add-frontend ${polyfill}`
    : 'Do that in the API.';
  return new Error(
    `${from} imports ${id}, a module of Node.js that no browser has. ${remedy}`,
  );
}
