import { isFunction, jestMethod, kindOfTestCall } from './jest-syntax.js';

const MOCKS = /^(mock|doMock|setMock)$/;

/**
 * Find out where `await` can be written: in functions that whoever calls them can wait for.
 *
 * Jest loads modules at once, Vitest does not. So what loads one becomes asynchronous, and so
 * does what calls it, up to a test, a hook, a suite, the factory of a mock or the file itself.
 */
export class Awaiting {
  #syntax;
  /** Functions that have to be asynchronous. */
  functions = new Set();
  /** Calls whose result has to be waited for. */
  calls = new Set();
  /** @type {Map<object, string>} callbacks, by the helper of `jest` that waits for them */
  callbacks = new Map();

  /** @param {import('./jest-syntax.js').Syntax} syntax */
  constructor(syntax) {
    this.#syntax = syntax;
  }

  /**
   * Make it possible to wait at a node.
   *
   * @param {object} node
   * @returns {boolean} false where whoever calls the function around it cannot wait
   */
  allow(node) {
    const plan = { functions: new Set(), calls: new Set(), callbacks: [] };
    if (!this.#plan(node, plan)) return false;
    for (const it of plan.functions) this.functions.add(it);
    for (const it of plan.calls) this.calls.add(it);
    for (const [it, helper] of plan.callbacks) this.callbacks.set(it, helper);
    return true;
  }

  /** The nearest function around a node; null: the file; undefined: await is no syntax there. */
  owner(node) {
    let inner = node;
    for (const outer of this.#syntax.around(node)) {
      if (isFunction(outer))
        return outer.params.includes(inner) ? undefined : outer;
      if (/^(PropertyDefinition|StaticBlock|TSModule)/.test(outer.type))
        return undefined;
      inner = outer;
    }
    return null;
  }

  #plan(node, plan) {
    const owner = this.owner(node);
    if (owner === null) return true;
    if (!owner) return false;
    if (plan.functions.has(owner)) return true;
    if (owner.async) return true;
    if (owner.generator) return false;
    plan.functions.add(owner);
    return this.#isWaitedFor(owner, plan);
  }

  #isWaitedFor(fn, plan) {
    const parent = this.#syntax.parent(fn);
    if (parent.type === 'CallExpression') {
      return parent.arguments.includes(fn)
        ? this.#callsBack(parent, fn, plan)
        : this.#waitFor(parent, plan);
    }
    const id = nameOf(fn, parent);
    return Boolean(id) && this.#areWaitedFor(id, plan);
  }

  #callsBack(call, fn, plan) {
    if (kindOfTestCall(call) || MOCKS.test(jestMethod(call))) return true;
    if (/^isolateModules/.test(jestMethod(call)))
      return this.#waitFor(call, plan);
    const { callee } = call;
    if (callee.name === 'act') return this.#waitFor(call, plan);
    if (callee.name === 'expect') return this.#settle('settled', fn, plan);
    const inTurn = { forEach: 'eachInTurn', map: 'mapInTurn' };
    const helper = inTurn[callee.property?.name];
    if (helper && call.arguments.length === 1)
      return this.#settle(helper, fn, plan);
    return false;
  }

  #settle(helper, fn, plan) {
    plan.callbacks.push([fn, helper]);
    return this.#plan(this.#syntax.parent(fn), plan);
  }

  #waitFor(call, plan) {
    plan.calls.add(call);
    return this.#plan(call, plan);
  }

  /** A function of this file: all that is done with it is to call it, or to be a test. */
  #areWaitedFor(id, plan) {
    const places = this.#syntax.identifiers(id.name);
    return places.every((place) => {
      if (place === id) return true;
      const parent = this.#syntax.parent(place);
      if (parent.type !== 'CallExpression') return false;
      if (parent.callee === place) return this.#waitFor(parent, plan);
      if (parent.callee.name === 'expect')
        return this.#settle('settled', place, plan);
      return Boolean(kindOfTestCall(parent));
    });
  }
}

function nameOf(fn, parent) {
  if (fn.type === 'FunctionDeclaration')
    return /^Export/.test(parent.type) ? undefined : fn.id;
  if (parent.type !== 'VariableDeclarator' || parent.init !== fn)
    return undefined;
  return parent.id.type === 'Identifier' ? parent.id : undefined;
}
