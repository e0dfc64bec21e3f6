import path from 'node:path';
import { normalizePath } from 'vite';
import { PACKAGES } from './files.js';
import { importInstalled } from './packages.js';
import { parseModule } from './syntax.js';

/** What has a meaning in Flow; whether it is Flow, the parser tells. */
export const FLOW =
  /@flow\b|\b(?:import|export)\s+(?:type|typeof|opaque)\b|\btype\s+\w+(?:<[^>]*>)?\s*=/;

/**
 * Take Flow's types off, once flow-remove-types is there; else name the file and the package.
 *
 * @param {import('./index.js').App} app
 * @returns {import('vite').Plugin}
 */
export function flow(app) {
  return {
    name: 'create-react-app:flow',
    enforce: 'pre',
    transform: {
      filter: {
        id: { include: /\/src\/[^?]*\.jsx?(\?|$)/, exclude: PACKAGES },
        code: FLOW,
      },
      async handler(code, id) {
        if (parseModule(id, code)) return undefined;
        const plain = await withoutTypes(code);
        if (plain !== undefined) return { code: plain, map: null };
        if (!/@flow\b/.test(code)) return undefined;
        const file = normalizePath(path.relative(app.root, id.split('?')[0]));
        throw new Error(
          `${file} has types of Flow. Run: npm run add-frontend flow-remove-types`,
        );
      },
    },
  };
}

/**
 * Put spaces in the place of Flow's types.
 *
 * @param {string} code
 * @returns {Promise<string | undefined>} undefined where that cannot be done
 */
export async function withoutTypes(code) {
  const remover = await importInstalled('flow-remove-types');
  try {
    return remover?.default(code, { all: true }).toString();
  } catch {
    return undefined;
  }
}
