import MagicString from 'magic-string';
import { defineProcessEnv } from './env.js';
import { PACKAGES, SOURCE } from './files.js';
import {
  dotted,
  evaluator,
  freeReferences,
  isModule,
  lineOf,
  parseModule,
} from './syntax.js';

const WEBPACK = /^__(non_)?webpack_\w+__$/;
const REGENERATOR = /\/node_modules\/regenerator-runtime\//;
const OF_NODE = {
  Buffer:
    "npm run add-frontend buffer, and here: import { Buffer } from 'buffer'",
  setImmediate: 'write setTimeout(…, 0)',
  process:
    "write process.env.NAME, or: npm run add-frontend process, and here: import process from 'process'",
};

/**
 * Supply the names that webpack and Babel supplied; of those that they did not, say so.
 *
 * "output" and "node" of https://webpack.js.org/configuration; babel-preset-react-app, which
 * imports regeneratorRuntime where code compiled for old browsers uses it.
 *
 * @param {import('./index.js').App} app
 * @returns {import('vite').Plugin[]}
 */
export function freeNames(app) {
  return [
    {
      name: 'create-react-app:free-names',
      config() {
        if (app.isTest) return undefined;
        const define = namesOfPage(app);
        // Vite's `define` would make a global `process` in development, and only there.
        return app.isBuild
          ? { define }
          : {
              oxc: { define },
              optimizeDeps: {
                rolldownOptions: {
                  transform: { define },
                  plugins: [regenerator()],
                },
              },
            };
      },
    },
    regenerator(),
    {
      name: 'create-react-app:missing-names',
      enforce: 'pre',
      transform: {
        filter: {
          id: { include: SOURCE, exclude: PACKAGES },
          code: /\bBuffer\b|\bprocess\b(?!\.env\b)|\bsetImmediate\b|__webpack_/,
        },
        handler(code, id) {
          return app.isTest ? undefined : supply(this, app, code, id);
        },
      },
    },
  ];
}

/**
 * List what stands for a value in the code of the page, and which.
 *
 * @param {import('./index.js').App} app
 * @returns {Record<string, string>} for `define` of Vite and of Oxc
 */
export function namesOfPage({ pageEnv, publicUrl }) {
  return {
    ...defineProcessEnv(pageEnv),
    global: 'globalThis',
    'module.hot': 'undefined',
    __dirname: '"/"',
    __filename: '"/index.js"',
    __webpack_public_path__: JSON.stringify(`${publicUrl}/`),
  };
}

/** Supply what Babel made of async functions for old browsers: each package has its own code. */
function regenerator() {
  const names = new Set(['regeneratorRuntime']);
  return {
    name: 'create-react-app:regenerator',
    enforce: 'pre',
    transform: {
      filter: {
        id: { include: /\.(cjs|mjs|[jt]sx?)(\?|$)/, exclude: REGENERATOR },
        code: /\bregeneratorRuntime\b/,
      },
      handler(code, id) {
        const program = parseModule(id, code);
        if (!program) return undefined;
        if (freeReferences(program, names, () => undefined).length === 0) {
          return undefined;
        }
        const runtime = JSON.stringify('regenerator-runtime/runtime');
        const load = isModule(program)
          ? `import ${runtime};`
          : `require(${runtime});`;
        return { code: load + code, map: null };
      },
    },
  };
}

function supply(context, app, code, id) {
  const program = parseModule(id, code);
  if (!program) return undefined;
  const text = new MagicString(code);
  const names = new Set(
    code.match(/\b(Buffer|process|setImmediate)\b|__\w+__/g),
  );
  const evaluate = evaluator(app.pageEnv, app.pageEnv.NODE_ENV);
  for (const { node, parents } of freeReferences(program, names, evaluate)) {
    const { name, start, end } = node;
    const parent = parents.at(-1);
    if (WEBPACK.test(name)) {
      const isSet = parent.left === node;
      if (name === '__webpack_public_path__') {
        if (!isSet) continue;
        warn(
          context,
          app,
          code,
          id,
          node,
          `${name} has no effect: set PUBLIC_URL`,
        );
      }
      text.overwrite(start, end, `globalThis.${name}`);
    } else if (!isAskedFor(code, name) && dotted(parent) !== 'process.env') {
      const remedy = `${name} is Node.js's, and no browser has it: ${OF_NODE[name]}`;
      warn(context, app, code, id, node, remedy);
    }
  }
  if (!text.hasChanged()) return undefined;
  const map = text.generateMap({ hires: 'boundary' });
  return { code: text.toString(), map };
}

/** Who asks whether a name is there can do without it; setting it on window supplies it. */
function isAskedFor(code, name) {
  return new RegExp(
    `typeof\\s+${name}\\b|\\b(?:window|self|global|globalThis)\\.${name}\\b`,
  ).test(code);
}

function warn(context, app, code, id, { start }, problem) {
  const file = id.split('?')[0].slice(app.root.length + 1);
  context.warn(`${file}:${lineOf(code, start)}: ${problem}`, start);
}
