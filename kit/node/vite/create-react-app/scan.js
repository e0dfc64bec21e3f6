import { readBaseUrl } from './absolute-imports.js';
import { findFolder, listContext, readRequest } from './contexts.js';
import { PACKAGES, SOURCE } from './files.js';
import { FLOW, withoutTypes } from './flow.js';
import {
  evaluator,
  find,
  freeReferences,
  isTried,
  parseModule,
} from './syntax.js';

const IMPORT = /^\s*(?:import|export)\b(?!\s+type\b)[^;'"]*['"]([^'"]+)['"]/gm;

/**
 * Let Vite's search for packages read what it cannot: a file that it does not understand would
 * end it for all.
 *
 * @param {import('./index.js').App} app
 * @returns {import('vite').Plugin}
 */
export function scan(app) {
  const plugin = {
    name: 'create-react-app:scan',
    transform: {
      filter: {
        id: { include: SOURCE, exclude: PACKAGES },
        code: new RegExp(`\\brequire\\b|${FLOW.source}`),
      },
      async handler(code, id) {
        const requests = await requestsOf(app, code, id);
        const lines = requests.map((it) => `import ${JSON.stringify(it)};`);
        return { code: lines.join('\n'), map: null };
      },
    },
  };
  return {
    name: 'create-react-app:scan',
    apply: 'serve',
    config: () => ({
      optimizeDeps: { rolldownOptions: { plugins: [plugin] } },
    }),
  };
}

async function requestsOf(app, code, id) {
  const program =
    parseModule(id, code) ?? parseModule(id, (await withoutTypes(code)) ?? '(');
  if (!program) return [...code.matchAll(IMPORT)].map(([, request]) => request);
  const evaluate = evaluator(app.pageEnv, app.pageEnv.NODE_ENV);
  const imported = program.body
    .filter((it) => it.source && (it.importKind ?? it.exportKind) !== 'type')
    .map(({ source }) => source);
  const later = find(program, 'ImportExpression').map(({ source }) => source);
  const required = freeReferences(program, new Set(['require']), evaluate)
    .filter(({ parents }) => !isTried(parents))
    .map(({ node, parents }) => {
      const { callee, arguments: args } = parents.at(-1) ?? {};
      return callee === node ? args[0] : undefined;
    });
  return [...imported, ...later, ...required].flatMap((request) => {
    const known = request && evaluate(request);
    // As an entry, a package would run when it is loaded.
    const isLater = required.includes(request) && !/^\./.test(known?.value);
    if (known) return isLater ? [] : String(known.value);
    const chosen = request && readRequest(request, evaluate);
    if (!chosen?.folder.startsWith('.')) return [];
    const folder = findFolder(chosen.folder, id, readBaseUrl(app));
    return folder
      ? listContext(folder, chosen.test).map(({ file }) => chosen.folder + file)
      : [];
  });
}
