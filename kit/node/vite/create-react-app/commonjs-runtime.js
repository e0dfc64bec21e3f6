/** What CommonJS in src/ needs while it runs, in a browser and in tests. */

const REQUIRED = new WeakMap();
const IMPORTED = new WeakMap();

/**
 * Make a module of CommonJS, which runs when it is first required.
 *
 * @param {(module: object, exports: object, require: Function) => void} run its code
 * @returns {() => unknown} gives module.exports, to a module in a circle what is there by then
 */
export function commonJs(run) {
  let module;
  return () => {
    if (!module) {
      module = { exports: {} };
      run.call(module.exports, module, module.exports, missing);
    }
    return module.exports;
  };
}

/**
 * Make a module that runs when it is first required.
 *
 * @param {(exports: object) => void} run its code
 * @returns {() => object} gives what it exports
 */
export function deferred(run) {
  let exports;
  return () => {
    if (!exports) {
      exports = Object.defineProperty({}, '__esModule', { value: true });
      run(exports);
    }
    return exports;
  };
}

/** Let a module export what these functions read, and what other modules export. */
export function exportAs(exports, getters, ...modules) {
  for (const name of Object.keys(getters)) {
    const get = getters[name];
    Object.defineProperty(exports, name, { enumerable: true, get });
  }
  for (const module of modules) {
    for (const name of Object.keys(module)) {
      const isOwn = name === 'default' || Object.hasOwn(exports, name);
      const get = () => module[name];
      const property = { enumerable: true, get };
      if (!isOwn) Object.defineProperty(exports, name, property);
    }
  }
}

/**
 * Give what require() gives of a module: its namespace, or module.exports of CommonJS.
 *
 * @param {object} namespace
 * @param {boolean} [isCommonJs] whether it is a package in CommonJS, as Node.js imports it
 * @returns {unknown}
 */
export function required(namespace, isCommonJs = false) {
  if ('__commonJs' in namespace) return namespace.__commonJs;
  if ('__esModule' in namespace) return namespace;
  if (isCommonJs) return namespace.default;
  if (!REQUIRED.has(namespace)) {
    REQUIRED.set(namespace, copy(namespace, { __esModule: true }));
  }
  return REQUIRED.get(namespace);
}

/**
 * Give a module as `import * as` does, be it CommonJS, or one that exports all of CommonJS.
 *
 * What CommonJS exports is read when it is asked for, as webpack reads it.
 *
 * @param {object} namespace
 * @returns {object}
 */
export function imported(namespace) {
  const isCommonJs = '__commonJs' in namespace;
  const others = namespace.__commonJsOf ?? [];
  if (!isCommonJs && others.length === 0) return namespace;
  if (!IMPORTED.has(namespace)) {
    const module = isCommonJs
      ? ofExports(() => namespace.__commonJs)
      : ofAll([namespace, ...others]);
    IMPORTED.set(namespace, module);
  }
  return IMPORTED.get(namespace);
}

/** In a circle, there may be none yet. */
function ofExports(read) {
  const get = (name) => {
    const exports = read();
    return name === 'default' && !exports?.__esModule
      ? exports
      : exports?.[name];
  };
  const has = (name) => name === 'default' || name in Object(read());
  const names = () => Reflect.ownKeys(Object(read()));
  return readWhenAsked(get, has, () => [...names(), 'default']);
}

function ofAll(modules) {
  const owner = (name) =>
    modules.find((it, i) => name in it && (i === 0 || name !== 'default'));
  return readWhenAsked(
    (name) => owner(name)?.[name],
    (name) => owner(name) !== undefined,
    () => modules.flatMap((it) => Reflect.ownKeys(it)),
  );
}

function readWhenAsked(get, has, names) {
  return new Proxy(Object.create(null), {
    get: (_, name) => get(name),
    has: (_, name) => has(name),
    ownKeys: () => [...new Set(names())],
    getOwnPropertyDescriptor: (_, name) =>
      has(name)
        ? { value: get(name), enumerable: true, configurable: true }
        : undefined,
  });
}

/** Copy a module that may still be running: its values are read when they are asked for. */
function copy(module, more) {
  const names = Reflect.ownKeys(Object(module));
  const made = Object.create(null);
  for (const name of names) {
    made[name] = { enumerable: true, get: () => module[name] };
  }
  for (const name of Object.keys(more)) made[name] = { value: more[name] };
  return Object.create(null, made);
}

/** Give what an ES module sees as `module`. */
export function moduleOf(id) {
  return { id, loaded: true, hot: undefined, exports: {} };
}

/** Give an SVG's address, which has its component. */
export function withAddress(module) {
  return Object.assign(new String(module.default), module);
}

/** Run what require.ensure() has loaded, later, as it did. */
export async function ensure(_requests, run) {
  return run(missing);
}

/**
 * Make what require.context() returns.
 *
 * @param {[() => unknown, ...string[]][]} files how to load each, and the names that it has
 * @param {string} id
 */
export function context(files, id) {
  const loaders = byName(files);
  const load = (name) => (loaders.get(name) ?? missing(name))();
  const resolve = (name) => (loaders.has(name) ? name : missing(name));
  return Object.assign(load, { keys: () => [...loaders.keys()], resolve, id });
}

/** Load the file that a name means which is known only now. */
export function choose(files, folder, name) {
  const inFolder = `./${String(name).slice(folder.length)}`;
  return (byName(files).get(inFolder) ?? missing(inFolder))();
}

/** As choose(), for import(): what is missing rejects. */
export async function chooseLater(files, folder, name) {
  return choose(files, folder, name);
}

function byName(files) {
  return new Map(
    files.flatMap(([load, ...names]) => names.map((name) => [name, load])),
  );
}

/** Say that a module is not there, as webpack does. */
export function missing(name) {
  const error = new Error(`Cannot find module '${name}'`);
  error.code = 'MODULE_NOT_FOUND';
  throw error;
}
