import fs from 'node:fs';
import path from 'node:path';
import { parseTsconfig } from 'get-tsconfig';
import { normalizePath } from 'vite';
import { problem } from '../../lib/project.js';
import { PACKAGES } from './files.js';

/**
 * "Absolute Imports": what is no package is looked for below baseUrl.
 *
 * @param {import('./index.js').App} app
 * @returns {import('vite').Plugin}
 */
export function absoluteImports(app) {
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
