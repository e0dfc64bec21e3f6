/** Give tests the globals that only Jest has: `jest` is Vitest's `vi`, and more; xit, fit … */
import { beforeEach, chai, describe, test, vi } from 'vitest';

/** Names of what a module in CommonJS exports: of a mock, and of what commonjs.js compiles. */
const ONLY = ['module.exports', '__commonJs'];
const LEGACY = ['setTimeout', 'setInterval', 'setImmediate'];
const spies = new Set();

globalThis.jest = Object.assign(Object.create(vi), {
  setTimeout: (milliseconds) =>
    vi.setConfig({ testTimeout: milliseconds, hookTimeout: milliseconds }),
  retryTimes: (retry) => vi.setConfig({ retry }),
  fn: mockFunction,
  spyOn(...place) {
    const spy = vi.spyOn(...place);
    spies.add(spy);
    return spy;
  },
  resetAllMocks() {
    vi.resetAllMocks();
    silenceSpies();
    return jest;
  },
  useFakeTimers,
  runAllImmediates: () => vi.advanceTimersByTime(0),
  async isolateModules(run) {
    vi.resetModules();
    await run();
    vi.resetModules();
  },
  /** Make what a factory returns a module, as Babel's CommonJS sees one. */
  asModule: (factory) => factory && (async () => asModule(await factory())),
  required,
  /** What requires a module gets its mock, too. */
  requiredMock: async (module) => {
    const exports = required(await module, 'unknown');
    return { load: () => exports };
  },
  /** Copy a module with a mock in the place of each function. */
  automock: (exports) => assignable(vi.mockObject({ exports }).exports),
  assignable,
  awaited: (value) => value,
  /** Call what Jest would call at once; what it returns or throws comes when it is asked for. */
  async settled(run) {
    try {
      const value = await run();
      return () => value;
    } catch (error) {
      return () => {
        throw error;
      };
    }
  },
  async eachInTurn(list, run) {
    await jest.mapInTurn(list, run);
  },
  async mapInTurn(list, run) {
    const results = [];
    for (const [i, item] of [...list].entries())
      results.push(await run(item, i, list));
    return results;
  },
  constructible,
  returning: (value) =>
    function returned() {
      return value;
    },
  /** Vitest gives a test its context there, and reads the parameters that it has. */
  withDone: (run) => () => untilDone(run, []),
  withDoneAtEnd:
    (run) =>
    (...row) =>
      row.length < run.length ? untilDone(run, row) : run(...row),
  withoutTeardown: (run) => async () => {
    await run();
  },
  cannotWait,
});

function cannotWait(call) {
  const error = new Error();
  // The first place is the one of the call.
  Error.captureStackTrace(error, cannotWait);
  const [place = ''] = /[^\s(]+:\d+(?=:\d+\)?$)/m.exec(error.stack) ?? [];
  error.message =
    `${call} cannot load a module at ${place}: Vitest loads modules asynchronously, and what ` +
    'calls the function around it does not wait. Import the module at the top of the file, or ' +
    'make the function and what calls it async, and write: await import(…)';
  throw error;
}

/** A function that Jest would call `jest.fn`: it forgets what it does when it is reset. */
function mockFunction(implementation) {
  const mock = vi.fn();
  if (!implementation) return mock;
  Object.defineProperty(mock, 'length', { value: implementation.length });
  return mock.mockImplementation(constructible(implementation));
}

/** Make what an arrow function returns the result of `new` too. */
function constructible(implementation) {
  const isClass = /^class\b/.test(String(implementation));
  if (typeof implementation !== 'function' || isClass) return implementation;
  return function call(...args) {
    return implementation.apply(this, args);
  };
}

/** Reset spies as Jest does: they stay, and do nothing. */
function silenceSpies() {
  for (const spy of spies) spy.mockImplementation(function silent() {});
}

function useFakeTimers(options) {
  const isLegacy = options === 'legacy' || options?.legacyFakeTimers;
  const { doNotFake, advanceTimers, legacyFakeTimers, ...others } =
    Object(options) === options ? options : {};
  if (isLegacy) {
    const toFake = LEGACY.flatMap((name) => [
      name,
      name.replace('set', 'clear'),
    ]);
    vi.useFakeTimers({ ...others, toFake });
    for (const name of toFake) {
      const timer = globalThis[name];
      globalThis[name] = Object.assign(vi.fn(timer), timer);
    }
    return jest;
  }
  if (doNotFake) others.toNotFake = doNotFake;
  if (advanceTimers) {
    others.shouldAdvanceTime = true;
    if (advanceTimers > 1) others.advanceTimeDelta = advanceTimers;
  }
  vi.useFakeTimers(others);
  return jest;
}

function untilDone(run, row) {
  return new Promise((resolve, reject) => {
    const done = (reason) => (reason ? reject(reason) : resolve());
    done.fail = (reason) => reject(reason ?? new Error('done.fail()'));
    Promise.resolve(run(...row, done)).catch(reject);
  });
}

/** Show what a factory returned: one without a default export is its own. */
function asModule(exports) {
  const all = Object(exports);
  const isModule = all === exports && ('__esModule' in all || 'default' in all);
  const get = (name) => {
    if (ONLY.includes(name)) return exports;
    if (name === 'default' && !isModule) return exports;
    return name === 'then' ? undefined : all[name];
  };
  return new Proxy(
    {},
    {
      get: (_, name) => get(name),
      // In Jest an import that the factory does not name is undefined, and no error.
      has: (_, name) => name !== 'then',
      set: (_, name, value) => Reflect.set(all, name, value),
      defineProperty: (_, name, it) => Reflect.defineProperty(all, name, it),
      deleteProperty: (_, name) => Reflect.deleteProperty(all, name),
      ownKeys: () => [...new Set([...Object.keys(all), 'default'])],
      getOwnPropertyDescriptor: (_, name) =>
        name in all || name === 'default'
          ? {
              value: get(name),
              configurable: true,
              enumerable: true,
              writable: true,
            }
          : undefined,
    },
  );
}

/** Give what require() gave: the only value of a module, or all of its exports. */
function required(module, kind) {
  const only = ONLY.find((name) => name in module);
  if (only) return module[only];
  const isOne = kind === 'value' || (kind === 'unknown' && isOneValue(module));
  return isOne && !module.__esModule ? module.default : assignable(module);
}

/** The names beside the default export are its properties in data and in CommonJS. */
function isOneValue(module) {
  const names = Object.keys(module).filter((name) => name !== 'default');
  const value = Object(module.default);
  return (
    names.length > 0 && names.every((name) => module[name] === value[name])
  );
}

/** Let the exports of an ES module be replaced, as in Babel's CommonJS. */
function assignable(module) {
  if (Object(module) !== module || !Object.isExtensible(module)) return module;
  const all = Object.getOwnPropertyDescriptors(module);
  for (const [name, { get, set, configurable, enumerable }] of Object.entries(
    all,
  )) {
    if (!get || set || !configurable) continue;
    const replace = (value) =>
      Object.defineProperty(module, name, {
        value,
        configurable,
        enumerable,
        writable: true,
      });
    Object.defineProperty(module, name, { get, set: replace });
  }
  if (module[Symbol.toStringTag] === 'Module' && !('__esModule' in module))
    Object.defineProperty(module, '__esModule', { value: true });
  return module;
}

// "resetMocks": Vitest has just made every mock what it was, and a spy the function itself.
const probe = vi.fn();
beforeEach(() => {
  if (probe() !== true) silenceSpies();
  probe.mockImplementation(() => true);
});

Object.assign(globalThis, {
  xit: test.skip,
  xtest: test.skip,
  xdescribe: describe.skip,
  fit: test.only,
  fdescribe: describe.only,
});

const ALIASES = {
  lastCalledWith: 'toHaveBeenLastCalledWith',
  nthCalledWith: 'toHaveBeenNthCalledWith',
  toReturn: 'toHaveReturned',
  toReturnTimes: 'toHaveReturnedTimes',
  toReturnWith: 'toHaveReturnedWith',
  lastReturnedWith: 'toHaveLastReturnedWith',
  nthReturnedWith: 'toHaveNthReturnedWith',
};
chai.use(({ Assertion }, { addMethod }) => {
  for (const [name, method] of Object.entries(ALIASES))
    addMethod(Assertion.prototype, name, Assertion.prototype[method]);
});
