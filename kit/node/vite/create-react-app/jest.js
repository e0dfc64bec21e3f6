/** Give tests the globals that only Jest has: `jest` is Vitest's `vi`, and more; xit, fit … */
import { describe, test, vi } from 'vitest';

globalThis.jest = Object.assign(Object.create(vi), {
  setTimeout: (milliseconds) => vi.setConfig({ testTimeout: milliseconds }),
  requireActual(path) {
    throw new Error(
      'Here jest.requireActual() works in the factory of jest.mock(), in async functions and ' +
        `outside of functions. Elsewhere write: await vi.importActual('${path}')`,
    );
  },
  /** Make what a factory returns a module: one without a default export is its own, as in Babel. */
  asModule: (factory) => async () => {
    const exports = await factory();
    return exports && 'default' in Object(exports)
      ? exports
      : { ...exports, default: exports };
  },
});

Object.assign(globalThis, {
  xit: test.skip,
  xtest: test.skip,
  xdescribe: describe.skip,
  fit: test.only,
  fdescribe: describe.only,
});
