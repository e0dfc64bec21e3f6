import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { parseTsconfig } from 'get-tsconfig';
import { normalizePath, parseSync, transformWithOxc, Visitor } from 'vite';
import { problem } from '../../lib/project.js';
import { importInstalled } from './packages.js';

/** A module of the page. */
export const SOURCE = /\/src\/[^?]*\.[jt]sx?(\?|$)/;
export const PACKAGES = /\/node_modules\//;
const TEST = /\/__tests__\/|\.(test|spec)\.\w+$/;
const SVG = /\/src\/[^?]*\.svg$/;
/** What is neither code, style nor data: its import is its address. */
export const FILE =
  /\/src\/[^?]*\.(?!([cm]?[jt]sx?|json5?|html?|css|s[ac]ss|less|styl|wasm)$)\w+$/;

/**
 * Let src/ import what webpack let it import.
 *
 * @param {import('./index.js').App} app
 * @returns {import('vite').Plugin[]}
 */
export function imports(app) {
  return [
    assets(app),
    styles(app),
    absoluteImports(app),
    svgComponents(app),
    workers(app),
    noCommonJs(app),
    jsxInJavaScript(app),
  ];
}

/** "Adding Images, Fonts, and Files": an import is an address; small images are in the code. */
function assets(app) {
  return {
    name: 'create-react-app:assets',
    config: () => ({
      assetsInclude: [FILE],
      build: {
        assetsInlineLimit: (file, content) =>
          /\.(avif|bmp|gif|jpe?g|png)$/.test(file) &&
          content.length <= Number(app.env.IMAGE_INLINE_SIZE_LIMIT ?? 10_000),
      },
    }),
  };
}

/** "Adding a CSS Modules Stylesheet": [filename]_[class]__[hash]; "~" before a package's name. */
function styles(app) {
  return {
    name: 'create-react-app:styles',
    config: () => ({
      resolve: { alias: [{ find: /^~(?=[\w@])/, replacement: '' }] },
      css: {
        modules: {
          generateScopedName(name, file) {
            const place = normalizePath(path.relative(app.root, file));
            const hash = createHash('sha256').update(place + name);
            const module = path.basename(file).replace(/\.module\.\w+$/, '');
            return `${module}_${name}__${hash.digest('base64url').slice(0, 5)}`;
          },
        },
      },
    }),
  };
}

/** "Absolute Imports": what is no package is looked for below baseUrl. */
function absoluteImports(app) {
  let base;
  return {
    name: 'create-react-app:absolute-imports',
    enforce: 'pre',
    configResolved() {
      base = readBaseUrl(app);
    },
    resolveId: {
      filter: { id: /^[\w$@-]/ },
      handler(id, importer, options) {
        if (!base || !importer || PACKAGES.test(importer)) return;
        // As for webpack, "." means: everything in src/, under this name.
        const names = base === app.root ? ['src'] : fs.readdirSync(base);
        const [first] = id.split(/[/.?]/);
        if (!names.some((name) => name.split('.')[0] === first)) return;
        if (app.has('node_modules', id.split('/')[0], 'package.json')) return;
        return this.resolve(path.join(base, id), importer, options);
      },
    },
  };
}

/**
 * Read "baseUrl" of tsconfig.json or jsconfig.json.
 *
 * @param {import('./index.js').App} app
 * @returns {string | undefined} a folder; undefined where all but relative imports are packages
 * @throws {Error} when the file cannot be read, or names a folder that create-react-app refuses
 */
export function readBaseUrl({ root }) {
  const names = ['tsconfig.json', 'jsconfig.json'];
  const name = names.find((file) => fs.existsSync(path.join(root, file)));
  if (!name) return undefined;
  const { baseUrl } = readTypeScriptConfig(root, name).compilerOptions ?? {};
  if (!baseUrl) return undefined;
  const base = path.resolve(root, baseUrl);
  const place = normalizePath(path.relative(root, base));
  if (place === 'src' || place === '.') return base;
  // What a monorepo's own file says is not said of this page.
  if (place === 'node_modules' || place.startsWith('..')) return undefined;
  throw problem(
    `"baseUrl" in ${name} is ${JSON.stringify(place)}. create-react-app knows "src", ` +
      '"node_modules" and ".".',
  );
}

function readTypeScriptConfig(root, name) {
  try {
    return parseTsconfig(path.join(root, name));
  } catch (error) {
    throw problem(`${name} cannot be read: ${error.message}`);
  }
}

/** "Adding SVGs": `import { ReactComponent } from './logo.svg'`, once vite-plugin-svgr is there. */
async function svgComponents(app) {
  const svgr = await importInstalled('vite-plugin-svgr');
  if (!svgr) return explainSvgComponents(app);
  const both = {
    name: 'create-react-app:svg-components',
    enforce: 'pre',
    load: {
      filter: { id: SVG },
      handler(id) {
        if (app.isTest) return undefined;
        const [url, component] = [`${id}?url`, `${id}?react`].map(
          JSON.stringify,
        );
        return `export { default } from ${url};
          export { default as ReactComponent } from ${component};`;
      },
    },
  };
  return [both, svgr.default({ svgrOptions: { ref: true, titleProp: true } })];
}

function explainSvgComponents(app) {
  const use =
    /^import\s[^;'"]*\bReactComponent\b[^;'"]*\bfrom\s*['"][^'"]+\.svg['"]/m;
  return {
    name: 'create-react-app:no-svg-components',
    enforce: 'pre',
    transform: {
      filter: { id: { include: SOURCE, exclude: PACKAGES }, code: use },
      handler(code) {
        if (app.isTest) return;
        this.error(
          'An SVG becomes a ReactComponent by a package. Run: npm run add-frontend vite-plugin-svgr',
          code.search(use),
        );
      },
    },
  };
}

/** A worker is a module, also in development: webpack bundled what it imports. */
function workers(app) {
  const worker =
    /(new\s+(?:Shared)?Worker\(\s*new\s+URL\([^()]*import\.meta\.url\s*\))\s*\)/g;
  return {
    name: 'create-react-app:workers',
    enforce: 'pre',
    config: () => ({
      worker: {
        format: 'es',
        plugins: () => [absoluteImports(app), jsxInJavaScript(app)],
      },
    }),
    transform: {
      filter: { id: { include: SOURCE, exclude: PACKAGES }, code: worker },
      handler: (code) => ({
        code: code.replace(worker, "$1, { type: 'module' })"),
        map: null,
      }),
    },
  };
}

/** Say in words that a browser knows no require(): the build would not need to, and differ. */
function noCommonJs(app) {
  return {
    name: 'create-react-app:no-commonjs',
    enforce: 'pre',
    transform: {
      filter: {
        id: { include: SOURCE, exclude: [PACKAGES, TEST] },
        code: /\brequire\s*\(\s*['"`]|\bmodule\.exports\s*=|\bexports\.\w+\s*=/,
      },
      handler(code, id) {
        if (app.isTest) return;
        const found = findCommonJs(id, code);
        if (!found) return;
        const text = code.slice(found.start, found.end).split('\n')[0];
        this.error(
          `src/ is ECMAScript modules here: write import or export instead of ${text}`,
          found.start,
        );
      },
    },
  };
}

function findCommonJs(file, code) {
  const { program } = parseSync(file, code, { lang: 'tsx' });
  let found;
  new Visitor({
    CallExpression(node) {
      if (node.callee.name === 'require') found ??= node;
    },
    AssignmentExpression({ left }) {
      const name = left.object?.object?.name ?? left.object?.name;
      const isModule = name === 'module' && left.property.name === 'exports';
      if (isModule || name === 'exports') found ??= left;
    },
  }).visit(program);
  return found;
}

/** Compile JSX in src/*.js too: Vite itself expects it only in .jsx and .tsx. */
function jsxInJavaScript(app) {
  let sourcemap;
  return {
    name: 'create-react-app:jsx-in-js',
    enforce: 'pre',
    config: () => ({
      optimizeDeps: { rolldownOptions: { moduleTypes: { '.js': 'jsx' } } },
    }),
    configResolved({ build }) {
      sourcemap = !app.isBuild || Boolean(build.sourcemap);
    },
    transform: {
      filter: { id: { include: /\/src\/[^?]*\.js(\?|$)/, exclude: PACKAGES } },
      handler(code, id) {
        return transformWithOxc(code, id.split('?')[0], {
          lang: 'jsx',
          tsconfig: false,
          sourcemap,
          jsx: {
            runtime: 'automatic',
            development: app.isDevelopment,
            refresh: app.isDevelopment,
          },
        });
      },
    },
  };
}
