import { findFolder, listContext, readRequest } from './contexts.js';
import { CODE, PACKAGES, SOURCE } from './files.js';
import { FLOW, withoutTypes } from './flow.js';
import { isInstalled } from './packages.js';
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
 * end it for all, and what is required is bundled apart.
 *
 * @param {import('./index.js').App} app
 * @param {{ writePackages: (requests: string[]) => string, base: string | undefined }} project
 * @returns {import('vite').Plugin}
 */
export function scan(app, project) {
  const plugin = {
    name: 'create-react-app:scan',
    transform: {
      filter: {
        id: { include: SOURCE, exclude: PACKAGES },
        code: new RegExp(`\\brequire\\b|${FLOW.source}`),
      },
      async handler(code, id) {
        const requests = await requestsOf(app, project, code, id);
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

async function requestsOf(app, project, code, id) {
  const program =
    parseModule(id, code) ?? parseModule(id, (await withoutTypes(code)) ?? '(');
  if (!program) return [...code.matchAll(IMPORT)].map(([, request]) => request);
  const evaluate = evaluator(app.pageEnv, app.pageEnv.NODE_ENV);
  const imported = program.body
    .filter((it) => it.source && (it.importKind ?? it.exportKind) !== 'type')
    .map(({ source }) => source);
  const later = find(program, 'ImportExpression').map(({ source }) => source);
  const required = freeReferences(program, new Set(['require']), evaluate)
    .map(({ node, parents }) => ({ node, call: parents.at(-1), parents }))
    .filter(({ node, call }) => call?.callee === node && call.arguments[0])
    .map(({ call, parents }) => ({ request: call.arguments[0], parents }));
  const names = required.map(({ request }) => evaluate(request)?.value);
  const packages = names.filter(
    (it, i) => isPackage(app.root, it) && names.indexOf(it) === i,
  );
  const files = required
    .filter(({ parents }) => !isTried(parents))
    .map(({ request }) => request)
    .filter((it) => !/^[\w@]/.test(evaluate(it)?.value));
  return [
    ...[...imported, ...later, ...files].flatMap((request) => {
      const known = evaluate(request);
      if (known) return String(known.value);
      const chosen = readRequest(request, evaluate);
      if (!chosen?.folder.startsWith('.')) return [];
      const folder = findFolder(chosen.folder, id, project.base);
      const found = folder ? listContext(folder, chosen.test) : [];
      return found.map(({ file }) => chosen.folder + file);
    }),
    ...(packages.length > 0 ? [project.writePackages(packages)] : []),
  ];
}

/** Tell whether it names code of a package, which runs when it is required. */
function isPackage(root, request) {
  const [name] = /^(@[\w.-]+\/)?[\w][\w.-]*/.exec(request) ?? [];
  const ending = /\.\w+$/.exec(request)?.[0];
  const isCode = !ending || ending.length > 5 || CODE.test(ending);
  return Boolean(name) && isCode && isInstalled(root, name);
}
