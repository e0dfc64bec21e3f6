import fs from 'node:fs';
import path from 'node:path';

/**
 * Import a package that the project may do without.
 *
 * @param {string} name
 * @returns {Promise<object | undefined>} undefined where it is not installed
 */
export function importInstalled(name) {
  return import(/* @vite-ignore */ name).catch((error) => {
    if (error.code === 'ERR_MODULE_NOT_FOUND') return undefined;
    throw error;
  });
}

/** Tell whether a package is among those of the project. */
export function isInstalled(root, name) {
  return fs.existsSync(path.join(root, 'node_modules', name, 'package.json'));
}
