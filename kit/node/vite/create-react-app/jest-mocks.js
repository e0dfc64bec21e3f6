import fs from 'node:fs';
import path from 'node:path';
import { normalizePath } from 'vite';
import { manualMock } from './jest-transform.js';

const MOCK = /(?:^|\/)__mocks__\/(.+)\.(js|jsx|ts|tsx|json)$/;

/**
 * Find the mocks of packages: src/__mocks__/axios.js is used wherever `axios` is imported.
 *
 * @param {import('./index.js').App} app
 * @param {string[]} files those of src/, from there
 * @returns {Map<string, string>} the mocks' files, by the names of what they are of
 */
export function findPackageMocks(app, files) {
  const mocks = new Map();
  for (const file of files) {
    const name = MOCK.exec(file)?.[1];
    if (!name || mocks.has(name)) continue;
    mocks.set(name, normalizePath(path.join(app.root, 'src', file)));
  }
  return mocks;
}

/**
 * Write what makes the mocks of packages be used without a jest.mock().
 *
 * Node.js's own modules need one, and what is no package is a module of src/.
 *
 * @param {Map<string, string>} mocks
 * @param {(name: string) => Promise<string | undefined>} resolve finds a package's file
 * @returns {Promise<string>}
 */
export async function usePackageMocks(mocks, resolve) {
  const lines = [...mocks].map(async ([name, mock]) => {
    const file = await resolve(name);
    if (!file || !path.isAbsolute(file)) return '';
    return `\nvi.mock(${JSON.stringify(file)}, ${manualMock(mock)});`;
  });
  return (await Promise.all(lines)).join('');
}

/**
 * List the files of src/.
 *
 * @param {import('./index.js').App} app
 * @returns {string[]} from there, with slashes
 */
export function listSource({ root }) {
  const src = path.join(root, 'src');
  return fs.existsSync(src)
    ? fs.readdirSync(src, { recursive: true }).map(normalizePath)
    : [];
}
