import MagicString from 'magic-string';
import { absoluteImports } from './absolute-imports.js';
import { PACKAGES, SOURCE } from './files.js';
import { dotted, find, parseModule } from './syntax.js';

/**
 * Make a worker a module in development, too: webpack bundled what it imports.
 *
 * @param {import('./index.js').App} app
 * @param {() => import('vite').Plugin[]} plugins what its code is compiled with
 * @returns {import('vite').Plugin}
 */
export function workers(app, plugins) {
  return {
    name: 'create-react-app:workers',
    enforce: 'pre',
    config: () => ({
      worker: {
        format: 'es',
        plugins: () => [absoluteImports(app), ...plugins()],
      },
    }),
    transform: {
      filter: {
        id: { include: SOURCE, exclude: PACKAGES },
        code: /new\s+(?:\w+\.)?(?:Shared)?Worker\b/,
      },
      handler: (code, id) => asModules(code, id),
    },
  };
}

function asModules(code, id) {
  const program = parseModule(id, code);
  if (!program) return undefined;
  const text = new MagicString(code);
  for (const { callee, arguments: args } of find(program, 'NewExpression')) {
    const isWorker = /^((window|self)\.)?(Shared)?Worker$/.test(dotted(callee));
    if (isWorker && isOwnFile(args[0])) setType(text, code, args);
  }
  if (!text.hasChanged()) return undefined;
  const map = text.generateMap({ hires: 'boundary' });
  return { code: text.toString(), map };
}

/** As webpack: new URL('./worker.js', import.meta.url). */
function isOwnFile(url) {
  if (url?.type !== 'NewExpression' || dotted(url.callee) !== 'URL') {
    return false;
  }
  const { object, property } = url.arguments[1] ?? {};
  return object?.type === 'MetaProperty' && property.name === 'url';
}

function setType(text, code, [url, options]) {
  if (!options) {
    text.appendLeft(url.end, ", { type: 'module' }");
  } else if (options.type === 'ObjectExpression') {
    const type = options.properties.find(
      ({ key }) => (key?.name ?? key?.value) === 'type',
    );
    const last = options.properties.at(-1);
    // Last, as Vite asks for.
    if (type) text.overwrite(type.value.start, type.value.end, "'module'");
    else if (last) text.appendLeft(last.end, ", type: 'module'");
    else text.appendLeft(options.start + 1, "type: 'module'");
  } else {
    // A SharedWorker's name, or options that are made elsewhere.
    const given = code.slice(options.start, options.end);
    const more = options.type === 'Literal' ? `name: ${given}` : `...${given}`;
    text.overwrite(options.start, options.end, `{ ${more}, type: 'module' }`);
  }
}
