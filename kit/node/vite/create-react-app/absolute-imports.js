import fs from 'node:fs';
import path from 'node:path';
import { parseTsconfig } from 'get-tsconfig';
import { normalizePath } from 'vite';
import { literally, problem } from '../../lib/project.js';
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
    config: () => ({ resolve: { alias: aliases(app.root) } }),
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
 * Read "paths" of tsconfig.json or jsconfig.json, which CRACO's users repeated in its alias.
 *
 * @param {string} root the project's folder
 * @returns {{ find: RegExp, replacement: string }[]} those below src/; others are of types alone
 */
export function aliases(root) {
  const { baseUrl = '.', paths = {} } = readCompilerOptions(root).options;
  const base = path.resolve(root, baseUrl);
  return Object.entries(paths).flatMap(([name, [target = '']]) => {
    const place = path.resolve(base, target);
    const isInside = place.startsWith(path.join(root, 'src'));
    if (!isInside || name.startsWith('*')) return [];
    const [before, after] = name.split('*').map(literally);
    const isExact = after === undefined;
    return {
      find: new RegExp(isExact ? `^${before}$` : `^${before}(.*)${after}$`),
      replacement: normalizePath(place).replace('*', '$1'),
    };
  });
}

/**
 * Read "baseUrl" of tsconfig.json or jsconfig.json.
 *
 * @param {import('./index.js').App} app
 * @returns {string | undefined} a folder; undefined where all but relative imports are packages
 * @throws {Error} when the file cannot be read, or names a folder that create-react-app refuses
 */
export function readBaseUrl({ root }) {
  const { name, options } = readCompilerOptions(root);
  const { baseUrl } = options;
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

function readCompilerOptions(root) {
  const names = ['tsconfig.json', 'jsconfig.json'];
  const name = names.find((file) => fs.existsSync(path.join(root, file)));
  if (!name) return { options: {} };
  try {
    const { compilerOptions } = parseTsconfig(path.join(root, name));
    return { name, options: compilerOptions ?? {} };
  } catch (error) {
    throw problem(`${name} cannot be read: ${error.message}`);
  }
}
