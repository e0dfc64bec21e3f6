import fs from 'node:fs';
import path from 'node:path';
import MagicString from 'magic-string';
import { Awaiting } from './jest-await.js';
import {
  isFunction,
  jestMethod,
  kindOfTestCall,
  Syntax,
  textOf,
} from './jest-syntax.js';
import { parse } from './syntax.js';

/** A function that has parameters, or in a hook one that returns something. */
const FUNCTION =
  /(?:async\s*)?(?:function\s*\w*\s*)?\(?\s*[\w$]+(?:\s*,\s*[\w$]+)*/;
const PARTS = [
  /\bjest\s*\.|@jest\/globals|\brequire\s*\(|\bexports\b|\bdone\b/,
  // test('…', (callback) => …), test.each(table)(name, function (a, b, callback) { … })
  new RegExp(
    `(?:['"\`]|\\b(?:it|test)\\b[.\\w]*\\(\\s*[\\w$.]+)\\s*,\\s*${FUNCTION.source}\\s*\\)?\\s*(?:=>|\\{)`,
  ),
  new RegExp(`\\b(?:before|after)(?:Each|All)\\(\\s*${FUNCTION.source}`),
  /\bbefore(?:Each|All)\(\s*(?:async\s*)?\(\s*\)\s*=>\s*[^\s{]/,
];
/** What has calls of the global `jest`, of require(), or callbacks with a parameter. */
export const MAY_BE_JEST = new RegExp(
  PARTS.map(({ source }) => source).join('|'),
);

/** What loads a module: the calls of Jest's, and what Vitest has for them. */
const LOADERS = {
  require: 'import',
  requireActual: 'vi.importActual',
  requireMock: 'vi.importMock',
  createMockFromModule: 'vi.importActual',
  genMockFromModule: 'vi.importActual',
};
const MOCKS = /^(mock|unmock|doMock|dontMock|deepUnmock|setMock)$/;
const RESETS = /\bjest\s*\.\s*(resetModules|doMock|dontMock|isolateModules)/;

/**
 * Write a file of tests that is meant for Jest as one for Vitest.
 *
 * @param {string} code
 * @param {object} options
 * @param {string} options.file
 * @param {boolean} options.isTest whether `require` and callbacks are Jest's here: in tests,
 *   in src/setupTests.js and in mocks, but not in the modules of the page
 * @param {(name: string) => Promise<string | undefined>} options.resolve finds a module's file
 * @param {(file: string) => boolean} options.isSource tells whether a file is code of src/
 * @param {(name: string) => string | undefined} options.packageMock finds src/__mocks__/NAME.js
 * @param {(name: string) => void} options.addVirtual takes a module that only a mock makes
 * @returns {Promise<{ code: string, map: object } | undefined>}
 */
export async function toVitest(code, options) {
  const transform = new Transform(code, options);
  await transform.run();
  const { text } = transform;
  if (!text.hasChanged()) return undefined;
  return { code: text.toString(), map: text.generateMap({ hires: true }) };
}

class Transform {
  text;
  #code;
  #options;
  #syntax;
  #awaiting;
  #preloaded = 0;

  constructor(code, options) {
    this.#code = code;
    this.#options = options;
    this.#syntax = new Syntax(options.file, code);
    this.#awaiting = new Awaiting(this.#syntax);
    this.text = new MagicString(code);
  }

  async run() {
    const { nodes } = this.#syntax;
    const calls = nodes.filter(({ type }) => type === 'CallExpression');
    for (const call of calls) await this.#load(call);
    for (const call of calls) this.#isolate(call);
    for (const fn of this.#awaiting.functions)
      this.text.prependRight(fn.start, 'async ');
    // From the inside, because the text around is written around.
    for (const call of calls.toReversed()) {
      await this.#mockRequired(call);
      this.#mock(call);
      this.#mockImplementation(call);
      this.#done(call);
      this.#teardown(call);
    }
    for (const call of this.#awaiting.calls)
      this.#wrap(call, 'jest.awaited(await ', ')');
    for (const [fn, helper] of this.#awaiting.callbacks)
      this.#callback(fn, helper);
    this.#globals(nodes);
    this.#assignments(nodes);
    this.#exports();
  }

  #wrap({ start, end }, before, after) {
    this.text.prependRight(start, before);
    this.text.appendLeft(end, after);
  }

  /** Give jest.mock() to what Vitest hoists, as Babel hoists it: within its function. */
  #mock(call) {
    const method = jestMethod(call);
    if (!MOCKS.test(method)) return;
    const { start, end } = call.callee;
    const vitest = this.#vitestMethod(call);
    this.text.update(start, end, `vi.${vitest}`);
    const [name, factory, options] = call.arguments;
    const file = factory ? undefined : this.#options.packageMock(textOf(name));
    if (file && /^(mock|doMock)$/.test(vitest))
      this.text.appendLeft(name.end, `, ${manualMock(file)}`);
    if (options) {
      this.text.remove(factory.end, call.end - 1);
      if (isVirtual(options)) this.#options.addVirtual(textOf(name));
    }
    if (!factory) return;
    const [before, after] =
      method === 'setMock' ? ['() => (', '))'] : ['', ')'];
    this.#wrap(factory, `jest.asModule(${before}`, after);
  }

  #vitestMethod(call) {
    const isTop = this.#awaiting.owner(call) === null;
    return {
      mock: isTop ? 'mock' : 'doMock',
      unmock: isTop ? 'unmock' : 'doUnmock',
      deepUnmock: isTop ? 'unmock' : 'doUnmock',
      dontMock: 'doUnmock',
      setMock: 'doMock',
      doMock: 'doMock',
    }[jestMethod(call)];
  }

  /** A module of src/ that is required has an address of its own: see commonjs.js. */
  async #mockRequired(call) {
    if (!MOCKS.test(jestMethod(call))) return;
    const text = textOf(call.arguments[0]);
    const file = text && (await this.#options.resolve(text));
    if (!this.#options.isSource(file)) return;
    const required = JSON.stringify(`${file}?commonjs`);
    const isMock = /^(mock|doMock)$/.test(this.#vitestMethod(call));
    const factory = `, () => jest.requiredMock(import(${JSON.stringify(file)}))`;
    const statement = this.#syntax.parent(call);
    if (statement.type !== 'ExpressionStatement') return;
    const method = this.#vitestMethod(call);
    this.text.appendLeft(
      statement.end,
      `;vi.${method}(${required}${isMock ? factory : ''});`,
    );
  }

  async #load(call) {
    const method = this.#loader(call);
    if (!method) return;
    const [name] = call.arguments;
    if (!name) return;
    const kind = await this.#kind(name);
    const load = this.#isMocked(method, name) ? 'import' : LOADERS[method];
    const write = (argument) => {
      // Else Vite would look for it, though it may never be loaded.
      const request =
        kind === 'unknown' ? `/* @vite-ignore */ ${argument} + ''` : argument;
      const module = `await ${load}(${request})`;
      const value = `jest.required(${module}, '${kind}')`;
      return /FromModule$/.test(method) ? `jest.automock(${value})` : value;
    };
    if (this.#awaiting.allow(call)) {
      const [before, after] = write('\0').split('\0');
      this.text.update(call.start, name.start, before);
      this.text.update(name.end, call.end, after);
    } else if (textOf(name) !== undefined && this.#preload(call, write)) {
      this.text.update(call.start, call.end, `jestLoaded${this.#preloaded}()`);
    } else {
      const text = JSON.stringify(this.#code.slice(call.start, call.end));
      this.text.update(call.start, call.end, `jest.cannotWait(${text})`);
    }
  }

  /** What has a mock here is imported as such; Vitest makes one of what has none. */
  #isMocked(method, name) {
    const text = textOf(name);
    if (method !== 'requireMock' || text === undefined) return false;
    return (
      Boolean(this.#options.packageMock(text)) ||
      this.#syntax.nodes.some(
        (node) =>
          /^(mock|doMock|setMock)$/.test(jestMethod(node)) &&
          textOf(node.arguments[0]) === text,
      )
    );
  }

  #loader(call) {
    if (call.callee.type === 'Identifier') {
      const isRequire = this.#options.isTest && call.callee.name === 'require';
      return isRequire && !this.#syntax.declares('require')
        ? 'require'
        : undefined;
    }
    const method = jestMethod(call);
    return Object.hasOwn(LOADERS, method ?? '') ? method : undefined;
  }

  /** Say what require() gives: the module's only value, or all that an ES module exports. */
  async #kind(name) {
    const text = textOf(name);
    if (text === undefined) return 'unknown';
    const file = await this.#options.resolve(text);
    if (!file) return 'unknown';
    return exportsOneValue(file) ? 'value' : 'namespace';
  }

  /** Load a module before, in the nearest function around that can wait. */
  #preload(call, write) {
    const place = [...this.#syntax.around(call)].find(
      (node) => node.type === 'Program' || this.#canPreloadIn(node, call),
    );
    const isFactory = isFunction(place);
    // What is loaded before does not know of what a test changes later.
    if (!isFactory && RESETS.test(this.#code)) return false;
    this.#preloaded += 1;
    const argument = this.#code.slice(
      call.arguments[0].start,
      call.arguments[0].end,
    );
    const text =
      `const jestLoaded${this.#preloaded} = ` +
      `await jest.settled(async () => ${write(argument)}); `;
    if (!isFactory) {
      const first = place.body.find(({ type }) => !/^Import/.test(type));
      this.text.prependRight(first.start, text);
      return true;
    }
    if (!place.async) this.#awaiting.functions.add(place);
    if (place.body.type === 'BlockStatement') {
      this.text.appendLeft(place.body.start + 1, text);
    } else {
      this.#wrap(place.body, `{ ${text}return (`, '); }');
    }
    return true;
  }

  #canPreloadIn(node, call) {
    if (!isFunction(node) || this.#awaiting.owner(call) === node) return false;
    const parent = this.#syntax.parent(node);
    return (
      parent.type === 'CallExpression' &&
      /^(mock|doMock)$/.test(jestMethod(parent)) &&
      parent.arguments[1] === node
    );
  }

  #isolate(call) {
    if (/^isolateModules/.test(jestMethod(call)) && this.#options.isTest) {
      if (this.#awaiting.allow(call)) this.#awaiting.calls.add(call);
    }
  }

  /** Let a test or a hook with a parameter that it calls, `done`, be a promise. */
  #done(call) {
    const kind = this.#options.isTest && kindOfTestCall(call);
    if (!kind || kind === 'suite' || this.#isOfVitest()) return;
    const fn = call.arguments.find(isFunction);
    const param = kind === 'each' ? fn?.params.at(-1) : fn?.params[0];
    if (param?.type !== 'Identifier') return;
    const isCalled = this.#syntax.uses(param.name, fn).some((node) => {
      const { type, object, property } = this.#syntax.parent(node);
      if (node === param) return false;
      return (
        type !== 'MemberExpression' ||
        object !== node ||
        property.name === 'fail'
      );
    });
    if (!isCalled) return;
    const helper = kind === 'each' ? 'jest.withDoneAtEnd(' : 'jest.withDone(';
    this.#wrap(fn, helper, ')');
  }

  /** `beforeEach(() => mock.mockReset())`: what a hook returns is no teardown in Jest. */
  #teardown(call) {
    const [fn] = call.arguments;
    const isHook = /^before(Each|All)$/.test(call.callee.name);
    if (!isHook || !this.#options.isTest || this.#isOfVitest()) return;
    const isShort = fn?.type === 'ArrowFunctionExpression' && fn.expression;
    if (isShort && fn.params.length === 0)
      this.#wrap(fn, 'jest.withoutTeardown(', ')');
  }

  #isOfVitest() {
    return this.#syntax.program.body.some(
      ({ type, source }) =>
        type === 'ImportDeclaration' && source.value === 'vitest',
    );
  }

  #callback(fn, helper) {
    if (helper === 'settled') {
      this.#wrap(fn, 'await jest.settled(', ')');
      return;
    }
    const call = this.#syntax.parent(fn);
    const { object } = call.callee;
    this.text.prependRight(call.start, `jest.awaited(await jest.${helper}(`);
    this.text.update(object.end, fn.start, ', ');
    this.text.appendLeft(call.end, ')');
  }

  /** In Vitest only a function or a class can be called with `new`. */
  #mockImplementation({ callee, arguments: [argument] }) {
    const name = callee.property?.name;
    if (callee.computed || !argument) return;
    if (/^mockImplementation(Once)?$/.test(name))
      this.#wrap(argument, 'jest.constructible(', ')');
    else if (/^mockReturnValue(Once)?$/.test(name)) {
      const { start, end } = callee.property;
      const instead = name.replace('ReturnValue', 'Implementation');
      this.text.update(start, end, instead);
      this.#wrap(argument, 'jest.returning(', ')');
    }
  }

  /** What comes from @jest/globals is global; imported, it would be missing above the imports. */
  #globals(nodes) {
    for (const { type, source, specifiers, start, end } of nodes) {
      if (type !== 'ImportDeclaration' || source.value !== '@jest/globals')
        continue;
      const areSame = ({ imported, local }) => imported?.name === local.name;
      if (specifiers.every(areSame)) this.text.remove(start, end);
    }
  }

  /** `import * as api from './api'; api.get = jest.fn()`, which Babel's CommonJS lets be. */
  #assignments(nodes) {
    if (!this.#options.isTest) return;
    const names = nodes
      .filter(({ type }) => type === 'ImportNamespaceSpecifier')
      .map(({ local }) => local.name);
    for (const { type, left } of nodes) {
      if (type !== 'AssignmentExpression' || !names.includes(left.object?.name))
        continue;
      this.#wrap(left.object, 'jest.assignable(', ')');
    }
  }

  /** Let require() know what a mock in CommonJS exports; Vitest knows it for import. */
  #exports() {
    if (!this.#options.isTest || !/\bexports\b/.test(this.#code)) return;
    if (hasModuleSyntax(this.#options.file, this.#code)) return;
    this.text.appendLeft(
      this.#code.length,
      "\n;Object.defineProperty(exports, 'module.exports', " +
        '{ configurable: true, get: () => exports.default });',
    );
  }
}

/**
 * Write the factory of a mock that a file in src/__mocks__ is.
 *
 * @param {string} file
 * @returns {string}
 */
export function manualMock(file) {
  return `() => import(${JSON.stringify(file)})`;
}

function isVirtual(options) {
  return options.properties?.some(
    ({ key, value }) => key?.name === 'virtual' && value.value === true,
  );
}

/** Tell whether a module is CommonJS, data or a file, and no ECMAScript module. */
function exportsOneValue(file) {
  if (!path.isAbsolute(file)) return true;
  if (/\.(cjs|cts|json|node)$/.test(file)) return true;
  if (/\.(mjs|mts|tsx?|svg)$/.test(file)) return false;
  if (!/\.jsx?$/.test(file)) return true;
  const code = fs.readFileSync(file, 'utf8');
  // Only what may be one is parsed: a package can be long.
  return !/\b(import|export)\b/.test(code) || !hasModuleSyntax(file, code);
}

function hasModuleSyntax(file, code) {
  return parse(file, code).module.hasModuleSyntax;
}
