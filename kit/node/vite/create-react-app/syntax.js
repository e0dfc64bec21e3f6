import path from 'node:path';
import { walk } from 'estree-walker';
import { parseSync } from 'vite';

const FUNCTION = /^(FunctionDeclaration|FunctionExpression|ArrowFunction)/;
const BLOCK = /^(BlockStatement|For|CatchClause|SwitchStatement|StaticBlock)/;
// Of TypeScript, what has values in it; the rest is types.
const TYPE =
  /^TS(?!(As|Satisfies|NonNull|Instantiation)|TypeAssertion|Enum|Parameter|ExportAssignment|Module)/;
// Not to be exported by an `export { … }` of ours, or no names of variables.
const RESERVED = new Set(['default', '__esModule', '__commonJs']);
const MODULE = /^(Import|Export(All|Default|Named))Declaration$/;

/**
 * Parse a file of src/; one in .js may have JSX, one in .ts none.
 *
 * @param {string} file
 * @param {string} code
 * @returns {import('vite').ParseResult}
 */
export function parse(file, code) {
  const lang = { '.ts': 'ts', '.tsx': 'tsx' }[path.extname(file)] ?? 'jsx';
  return parseSync(file, code, { lang });
}

/**
 * Parse a module of src/.
 *
 * @param {string} id its file, perhaps with a query
 * @param {string} code
 * @returns {import('vite').ESTree.Program & { comments: object[] } | undefined} undefined where
 *   it is no JavaScript or TypeScript: who compiles it says more
 */
export function parseModule(id, code) {
  const { program, comments, errors } = parse(id.split('?')[0], code);
  return errors.length > 0 ? undefined : Object.assign(program, { comments });
}

/** Tell whether it has import or export: then it is no CommonJS. */
export function isModule(program) {
  return program.body.some(({ type }) => MODULE.test(type));
}

/**
 * List where a module refers to names that it does not declare, but for code that never runs.
 *
 * @param {object} program
 * @param {Set<string>} names
 * @param {(node: object) => { value: unknown } | undefined} evaluate what is known of a condition
 * @param {boolean} [areImports] whether these names are imported, and by that not free
 * @returns {{ node: object, parents: object[] }[]} identifiers, and what they stand in, the
 *   nearest last
 */
export function freeReferences(program, names, evaluate, areImports = false) {
  const found = [];
  const parents = [];
  const scopes = [];
  const dead = new Set();
  walk(program, {
    enter(node, parent, key) {
      // `declare var require: any` is TypeScript's way to say that it is there.
      if (dead.has(node) || TYPE.test(node.type) || node.declare) {
        return this.skip();
      }
      // Its names are of the other module.
      if (/^Export/.test(node.type) && node.source) return this.skip();
      if (areImports && node.type === 'ImportDeclaration') return this.skip();
      parents.push(node);
      if (parent) declare(node, parent, scopes);
      if (parent === null || FUNCTION.test(node.type)) {
        scopes.push({ node, names: new Set(), isFunction: true });
        // The function of require.ensure() is given `require` itself.
        const isEnsured = dotted(parent?.callee) === 'require.ensure';
        for (const param of isEnsured ? [] : (node.params ?? [])) {
          addNames(param, scopes.at(-1).names);
        }
        if (node.type === 'FunctionExpression' && node.id) {
          scopes.at(-1).names.add(node.id.name);
        }
      } else if (BLOCK.test(node.type)) {
        scopes.push({ node, names: new Set() });
        if (node.param) addNames(node.param, scopes.at(-1).names);
      }
      const branch = deadBranch(node, evaluate);
      if (branch) dead.add(branch);
      if (!names.has(node.name) || !isReference(node, parent, key)) return;
      found.push({ node, parents: parents.slice(0, -1), scopes: [...scopes] });
    },
    leave(node) {
      if (parents.at(-1) === node) parents.pop();
      if (scopes.at(-1)?.node === node) scopes.pop();
    },
  });
  // A name may be declared below the place that uses it.
  return found.filter(
    ({ node, scopes }) => !scopes.some(({ names }) => names.has(node.name)),
  );
}

function declare(node, parent, scopes) {
  const scope = scopes.at(-1);
  if (node.type === 'VariableDeclaration') {
    const home =
      node.kind === 'var' ? scopes.findLast((it) => it.isFunction) : scope;
    for (const { id } of node.declarations) addNames(id, home.names);
  } else if (/^(Class|Function|TS\w+)Declaration$/.test(node.type)) {
    if (node.id) scope.names.add(node.id.name);
  } else if (parent.type === 'ImportDeclaration' && node.local) {
    scope.names.add(node.local.name);
  }
}

function addNames(pattern, names) {
  for (const name of patternNames(pattern)) names.add(name);
}

/** List the names that a parameter or a declaration declares. */
export function patternNames(pattern) {
  switch (pattern?.type) {
    case 'Identifier':
      return [pattern.name];
    case 'ArrayPattern':
      return pattern.elements.flatMap(patternNames);
    case 'ObjectPattern':
      return pattern.properties.flatMap((it) => patternNames(it.value ?? it));
    case 'RestElement':
      return patternNames(pattern.argument);
    case 'AssignmentPattern':
      return patternNames(pattern.left);
    case 'TSParameterProperty':
      return patternNames(pattern.parameter);
  }
  return [];
}

/** Find what a condition leaves out, as webpack does before it looks for imports. */
function deadBranch(node, evaluate) {
  const isChoice = /^(IfStatement|ConditionalExpression)$/.test(node.type);
  if (isChoice) {
    const test = evaluate(node.test);
    if (test) return test.value ? node.alternate : node.consequent;
  }
  if (node.type === 'LogicalExpression' && node.operator !== '??') {
    const left = evaluate(node.left);
    if (left && Boolean(left.value) === (node.operator === '||')) {
      return node.right;
    }
  }
  return undefined;
}

function isReference(node, parent, key) {
  if (node.type === 'JSXIdentifier') {
    const isTag = /^JSX(Opening|Closing)Element$/.test(parent.type);
    return isTag ? !/^[a-z]/.test(node.name) : key === 'object';
  }
  if (node.type !== 'Identifier') return false;
  if (key === 'property') return parent.computed;
  if (key === 'key') return parent.computed;
  if (parent.type === 'ExportSpecifier') return key === 'local';
  return !/^(label|imported|meta|params)$/.test(key);
}

/** What `typeof` says in an ES module, as webpack has it. */
export const IN_MODULES = {
  require: 'function',
  module: 'object',
  exports: 'undefined',
};

/**
 * Make a function that tells what an expression says at build time: conditions on process.env,
 * `module.hot` and literals.
 *
 * @param {Record<string, string> | undefined} env process.env of the page; undefined where it
 *   can change
 * @param {string} nodeEnv
 * @param {boolean} [isModule] whether it is of an ES module, which has no `exports`
 * @returns {(node: object) => { value: unknown } | undefined}
 */
export function evaluator(env, nodeEnv, isModule = false) {
  const evaluate = (node) => {
    switch (node?.type) {
      case 'Literal':
        return node.regex ? undefined : { value: node.value };
      case 'ParenthesizedExpression':
        return evaluate(node.expression);
      case 'TemplateLiteral':
        return template(node);
      case 'MemberExpression':
      case 'ChainExpression':
        return member(node.expression ?? node);
      case 'UnaryExpression':
        return unary(node);
      case 'BinaryExpression':
        return binary(node);
      case 'LogicalExpression':
        return logical(node);
    }
    return undefined;
  };
  const template = ({ quasis, expressions }) => {
    const parts = expressions.map(evaluate);
    if (!parts.every(Boolean)) return undefined;
    const texts = quasis.map(
      ({ value }, i) => value.cooked + (parts[i] ? parts[i].value : ''),
    );
    return { value: texts.join('') };
  };
  const member = (node) => {
    const name = dotted(node);
    if (name === 'module.hot' || name.startsWith('module.hot.')) {
      return { value: undefined };
    }
    if (name === 'process.env.NODE_ENV') return { value: nodeEnv };
    const [, key] = /^process\.env\.(\w+)$/.exec(name) ?? [];
    return key && env ? { value: env[key] } : undefined;
  };
  const unary = ({ operator, argument }) => {
    const name = dotted(argument);
    if (operator === 'typeof' && name === 'Buffer') {
      return { value: 'undefined' };
    }
    if (operator === 'typeof' && isModule && Object.hasOwn(IN_MODULES, name)) {
      return { value: IN_MODULES[name] };
    }
    const inner = evaluate(argument);
    if (!inner || !/^(!|typeof|void)$/.test(operator)) return undefined;
    if (operator === '!') return { value: !inner.value };
    return { value: operator === 'void' ? undefined : typeof inner.value };
  };
  const binary = ({ operator, left, right }) => {
    const [a, b] = [evaluate(left), evaluate(right)];
    if (!a || !b) return undefined;
    switch (operator) {
      case '===':
        return { value: a.value === b.value };
      case '!==':
        return { value: a.value !== b.value };
      case '==':
        // biome-ignore lint/suspicious/noDoubleEquals: as the code says it.
        return { value: a.value == b.value };
      case '!=':
        // biome-ignore lint/suspicious/noDoubleEquals: as the code says it.
        return { value: a.value != b.value };
      case '+':
        return { value: a.value + b.value };
    }
    return undefined;
  };
  const logical = ({ operator, left, right }) => {
    const first = evaluate(left);
    if (!first) return undefined;
    const isRight = { '&&': first.value, '||': !first.value }[operator];
    return isRight ? evaluate(right) : operator === '??' ? undefined : first;
  };
  return evaluate;
}

/** Write a chain of plain names as it stands in code: "process.env.NODE_ENV"; else "". */
export function dotted(node) {
  if (node?.type === 'Identifier') return node.name;
  if (node?.type !== 'MemberExpression' || node.computed) return '';
  const object = dotted(node.object);
  return object && `${object}.${node.property.name}`;
}

/**
 * List the nodes of a type, or of those that an expression matches.
 *
 * @param {object} program
 * @param {string | RegExp} type
 * @returns {object[]}
 */
export function find(program, type) {
  const found = [];
  const isWanted =
    typeof type === 'string' ? (it) => it === type : (it) => type.test(it);
  walk(program, {
    enter(node) {
      if (isWanted(node.type)) found.push(node);
    },
  });
  return found;
}

/** List the names that a module in CommonJS is seen to export. */
export function exportedNames(program) {
  const names = new Set();
  const add = (name) => /^[A-Za-z_$][\w$]*$/.test(name) && names.add(name);
  for (const { left, right } of find(program, 'AssignmentExpression')) {
    const [, name] = /^(?:module\.)?exports\.(\w+)$/.exec(dotted(left)) ?? [];
    if (name) add(name);
    if (dotted(left) !== 'module.exports') continue;
    for (const { key, computed } of right.properties ?? []) {
      if (key && !computed) add(key.name ?? key.value);
    }
  }
  for (const { callee, arguments: args } of find(program, 'CallExpression')) {
    const isDefinition = dotted(callee) === 'Object.defineProperty';
    if (isDefinition && /^(module\.)?exports$/.test(dotted(args[0]))) {
      add(args[1]?.value);
    }
  }
  return [...names].filter((name) => !RESERVED.has(name));
}

/** Tell whether it may be missing: in `try`, as webpack says. */
export function isTried(parents) {
  return parents.some(
    (it, i) => it.type === 'TryStatement' && it.block === parents[i + 1],
  );
}

/** Tell the line of a place in a text. */
export function lineOf(code, place) {
  return code.slice(0, place).split('\n').length;
}
