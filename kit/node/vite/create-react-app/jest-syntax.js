import { parse } from './syntax.js';

const TESTS = new Set(['test', 'it', 'fit', 'xit', 'xtest']);
const SUITES = new Set(['describe', 'fdescribe', 'xdescribe']);
const HOOKS = new Set(['beforeAll', 'beforeEach', 'afterAll', 'afterEach']);

/** The syntax tree of a source file, with the way from each node up to the file. */
export class Syntax {
  #parents = new Map();
  #names = new Map();
  /** @type {object[]} in the order of the text, those around others first */
  nodes = [];

  /**
   * @param {string} file
   * @param {string} code
   */
  constructor(file, code) {
    const { program } = parse(file, code);
    this.program = program;
    this.#add(program);
  }

  #add(node) {
    this.nodes.push(node);
    if (node.type === 'Identifier') {
      const known = this.#names.get(node.name) ?? [];
      this.#names.set(node.name, [...known, node]);
    }
    for (const value of Object.values(node)) {
      for (const child of Array.isArray(value) ? value : [value]) {
        if (typeof child?.type !== 'string') continue;
        this.#parents.set(child, node);
        this.#add(child);
      }
    }
  }

  /** Find what a node stands in; parentheses are nothing. */
  parent(node) {
    const parent = this.#parents.get(node);
    return parent?.type === 'ParenthesizedExpression'
      ? this.parent(parent)
      : parent;
  }

  /** List the nodes around one, from the inside. */
  *around(node) {
    let parent = this.#parents.get(node);
    for (; parent; parent = this.#parents.get(parent)) yield parent;
  }

  /** List the places where a name is a variable, its declarations included. */
  identifiers(name) {
    return (this.#names.get(name) ?? []).filter((node) => {
      const parent = this.#parents.get(node);
      if (parent.type === 'MemberExpression')
        return parent.object === node || parent.computed;
      if (/^(Property|MethodDefinition|PropertyDefinition)$/.test(parent.type))
        return parent.value === node || parent.computed;
      return true;
    });
  }

  /** List the places below a node where a name is a variable. */
  uses(name, { start, end }) {
    return this.identifiers(name).filter(
      (node) => start <= node.start && node.end <= end,
    );
  }

  /** Tell whether a name is declared in this file. */
  declares(name) {
    return this.identifiers(name).some((node) => {
      const parent = this.#parents.get(node);
      if (parent.type === 'VariableDeclarator') return parent.id === node;
      return /^(Import\w*Specifier|FunctionDeclaration)$/.test(parent.type);
    });
  }
}

/** Tell whether a node is a function that is written where it stands. */
export function isFunction(node) {
  return /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(
    node?.type,
  );
}

/**
 * Say which function of Jest's is called here with a callback.
 *
 * @param {object} call
 * @returns {'test' | 'each' | 'hook' | 'suite' | undefined} each: a test with a table
 */
export function kindOfTestCall(call) {
  if (call?.type !== 'CallExpression') return undefined;
  const { callee } = call;
  const table = callee.tag ?? callee.callee;
  const hasTable = table?.property?.name === 'each';
  const name = firstName(hasTable ? table : callee);
  if (HOOKS.has(name)) return callee.type === 'Identifier' ? 'hook' : undefined;
  if (SUITES.has(name)) return 'suite';
  if (!TESTS.has(name)) return undefined;
  return hasTable ? 'each' : 'test';
}

function firstName(node) {
  if (node.type !== 'MemberExpression') return node.name;
  return node.computed ? undefined : firstName(node.object);
}

/** Name the method of the global `jest` that a call is of. */
export function jestMethod({ callee }) {
  return callee?.type === 'MemberExpression' && callee.object.name === 'jest'
    ? callee.property.name
    : undefined;
}

/** Read an argument that is a plain text. */
export function textOf(node) {
  if (node?.type === 'TemplateLiteral' && node.quasis.length === 1)
    return node.quasis[0].value.cooked;
  return typeof node?.value === 'string' ? node.value : undefined;
}
