import { find, patternNames } from './syntax.js';

/**
 * Rewrite an ECMAScript module so that it runs when it is first required; what it imports runs
 * before.
 *
 * @param {object} program
 * @param {import('magic-string').default} text changed: what is left of it is the function's body
 * @returns {{ imports: string[], getters: Map<string, string>, copied: string[] }} what stands
 *   before the function; what each name exports; modules whose names are exported, too
 */
export function defer(program, text) {
  const imports = [];
  const getters = new Map();
  const copied = [];
  const importAll = (source) => {
    const name = `__from${imports.length}`;
    imports.push(`import * as ${name} from ${source.raw};`);
    return name;
  };
  for (const node of program.body) {
    const { start, end, source, declaration } = node;
    if (node.type === 'ImportDeclaration') {
      imports.push(`${text.original.slice(start, end)};`);
      text.remove(start, end);
    } else if (node.type === 'ExportAllDeclaration') {
      const module = importAll(source);
      if (node.exported) getters.set(nameOf(node.exported), module);
      else copied.push(module);
      text.remove(start, end);
    } else if (node.type === 'ExportDefaultDeclaration') {
      const name = declaration.id?.name ?? '__default';
      const replacement = declaration.id ? '' : `const ${name} = `;
      text.overwrite(start, declaration.start, replacement || ' ');
      getters.set('default', name);
    } else if (node.type === 'ExportNamedDeclaration') {
      if (declaration) {
        text.remove(start, declaration.start);
        for (const name of declaredNames(declaration)) getters.set(name, name);
        continue;
      }
      const module = source && importAll(source);
      for (const { local, exported } of node.specifiers) {
        const value = module
          ? `${module}[${JSON.stringify(nameOf(local))}]`
          : local.name;
        if (node.exportKind !== 'type') getters.set(nameOf(exported), value);
      }
      text.remove(start, end);
    }
  }
  return { imports, getters, copied };
}

/** List the names that a module exports itself. */
export function ownExports(program) {
  return program.body.flatMap((node) => {
    if (node.type === 'ExportDefaultDeclaration') return 'default';
    if (node.declaration) return declaredNames(node.declaration);
    const names = (node.specifiers ?? []).map((it) => it.exported);
    return [...names, node.type === 'ExportAllDeclaration' && node.exported]
      .filter(Boolean)
      .map(nameOf);
  });
}

function declaredNames({ type, id, declarations, declare }) {
  if (declare) return [];
  if (declarations) return declarations.flatMap((it) => patternNames(it.id));
  // Types have no value.
  return /^(Class|Function|TSEnum)Declaration$/.test(type) ? [id.name] : [];
}

function nameOf({ name, value }) {
  return name ?? value;
}

/** Tell whether a module waits while it runs: then it cannot be required. */
export function waits(program) {
  const inner = find(program, /Function/).map(({ start, end }) => [start, end]);
  return find(program, /^AwaitExpression$/).some(
    ({ start }) => !inner.some(([from, to]) => from < start && start < to),
  );
}

/** Tell whether nothing can have happened in a module before it requires this. */
export function isRequiredFirst(program, parents, evaluate) {
  if (parents.some(({ type }) => LATER.test(type))) return false;
  const place = program.body.indexOf(parents[1]);
  return program.body
    .slice(0, place)
    .every((node) => isHarmless(node, evaluate));
}

const LATER =
  /Function|^(If|For|While|DoWhile|Try|Switch)\w*Statement$|^(Conditional|Logical)Expression$|^(PropertyDefinition|StaticBlock)$/;
const DECLARATION = /^(Import|ExportAll|Function|TS\w+)Declaration$/;

function isHarmless(node, evaluate) {
  if (DECLARATION.test(node.type) || node.directive) return true;
  if (node.type === 'ExpressionStatement') return isPlain(node.expression);
  if (node.type !== 'VariableDeclaration') return false;
  return node.declarations.every(
    ({ init }) => !init || isPlain(init) || Boolean(evaluate(init)),
  );
}

/** A function, or what is required itself. */
function isPlain(node) {
  if (node.type === 'MemberExpression') return isPlain(node.object);
  if (node.type === 'CallExpression') return node.callee.name === 'require';
  return /Function/.test(node.type);
}
