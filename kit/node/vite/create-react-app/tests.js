import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync, Visitor } from 'vite';
import { FILE, PACKAGES, SOURCE } from './imports.js';

const SETUP = fileURLToPath(new URL('./jest.js', import.meta.url));
const SOURCES = ['src/**/*.{js,jsx,ts,tsx}'];

/**
 * Run tests that were written for Jest, as "Running Tests" describes them.
 *
 * @param {import('./index.js').App} app
 * @returns {import('vite').Plugin}
 */
export function jestTests(app) {
  return {
    name: 'create-react-app:tests',
    enforce: 'pre',
    config() {
      if (!app.isTest) return undefined;
      const setup = ['src/setupTests.js', 'src/setupTests.ts'];
      return {
        test: {
          environment: 'jsdom',
          globals: true,
          include: [
            'src/**/__tests__/**/*.{js,jsx,ts,tsx}',
            'src/**/*.{spec,test}.{js,jsx,ts,tsx}',
          ],
          env: app.pageEnv,
          setupFiles: [SETUP, ...setup.filter((file) => app.has(file))],
          // As identity-obj-proxy did: styles.button is 'button'.
          css: { modules: { classNameStrategy: 'non-scoped' } },
          // Before each test, as resetMocks did.
          mockReset: true,
          coverage: {
            include: SOURCES,
            reporter: ['clover', 'json', 'lcov', 'text'],
          },
          watch: false,
        },
      };
    },
    load: {
      filter: { id: FILE },
      handler: (id) => (app.isTest ? fakeAsset(path.basename(id)) : undefined),
    },
    transform: {
      filter: {
        id: { include: SOURCE, exclude: PACKAGES },
        code: /\bjest\s*\./,
      },
      handler: (code, id) =>
        app.isTest ? { code: toVitest(code, id), map: null } : undefined,
    },
  };
}

/** In tests a file is its name, and an SVG also a component that shows it. */
function fakeAsset(name) {
  const file = JSON.stringify(name);
  if (!name.endsWith('.svg')) return `export default ${file};`;
  return `
    import { createElement } from 'react';
    export default ${file};
    export const ReactComponent = (props) => createElement('svg', props, ${file});`;
}

/**
 * Rewrite what Vitest hoists above the imports, jest.mock(), and what it can only await.
 *
 * @param {string} code
 * @param {string} id
 * @returns {string}
 */
function toVitest(code, id) {
  const { program } = parseSync(id.split('?')[0], code, { lang: 'tsx' });
  const edits = [];
  const insert = (place, text) =>
    edits.push({ start: place, end: place, text });
  const functions = [];
  const factories = new Set();
  const enter = (node) => functions.push(node);
  const leave = () => functions.pop();
  new Visitor({
    CallExpression(node) {
      const name = jestMethod(node);
      if (/^(mock|unmock|doMock|dontMock)$/.test(name)) {
        const { start, end } = node.callee;
        const method = name === 'dontMock' ? 'doUnmock' : name;
        edits.push({ start, end, text: `vi.${method}` });
        const factory = node.arguments[1];
        if (!/Function/.test(factory?.type)) return;
        factories.add(factory);
        insert(
          factory.start,
          factory.async ? 'jest.asModule(' : 'jest.asModule(async ',
        );
        insert(factory.end, ')');
      } else if (name === 'requireActual') {
        const around = functions.at(-1);
        if (around && !around.async && !factories.has(around)) return;
        const { start, end } = node.callee;
        edits.push({ start, end, text: '(await vi.importActual' });
        insert(node.end, ')');
      }
    },
    FunctionDeclaration: enter,
    FunctionExpression: enter,
    ArrowFunctionExpression: enter,
    'FunctionDeclaration:exit': leave,
    'FunctionExpression:exit': leave,
    'ArrowFunctionExpression:exit': leave,
  }).visit(program);
  // From the end, so that the places before stay what they are.
  return edits
    .sort((a, b) => b.start - a.start)
    .reduce(
      (whole, { start, end, text }) =>
        whole.slice(0, start) + text + whole.slice(end),
      code,
    );
}

function jestMethod({ callee }) {
  return callee.type === 'MemberExpression' && callee.object.name === 'jest'
    ? callee.property.name
    : undefined;
}
