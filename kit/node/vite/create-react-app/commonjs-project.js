import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { createIdResolver, normalizePath } from 'vite';
import { isForTests } from '../../lib/project.js';
import { readBaseUrl } from './absolute-imports.js';
import { ownExports, waits } from './deferred.js';
import { PACKAGES, SOURCE } from './files.js';
import { evaluator, freeReferences, isModule, parseModule } from './syntax.js';

/** The names that CommonJS gives a module. */
export const NAMES = new Set(['require', 'module', 'exports']);
export const PACKAGES_OF = 'create-react-app:packages-';
/** What is known of the files in src/. */
export class Project {
  /** @type {Map<string, string[]>} the folders whose files a module lists, by its id */
  folders = new Map();
  #kinds = new Map();
  #hasCommonJs;
  #mocked;
  #deferred = new Set();

  constructor(app) {
    this.app = app;
  }

  configure(config) {
    const { app } = this;
    const { cacheDir } = config;
    this.findPackage = createIdResolver(config);
    this.base = readBaseUrl(app);
    this.cache = path.join(cacheDir, 'commonjs');
    // Tests may change process.env.
    const env = app.isTest ? undefined : app.pageEnv;
    const { NODE_ENV } = app.pageEnv;
    this.evaluators = {
      script: evaluator(env, NODE_ENV),
      module: evaluator(env, NODE_ENV, true),
    };
  }

  isSource(file) {
    const isInside = file.startsWith(`${normalizePath(this.app.root)}/src/`);
    const isCode = SOURCE.test(file) && !/\.d\.ts$/.test(file);
    return isInside && isCode && !PACKAGES.test(file);
  }

  /** Tell whether a file is a module in CommonJS. */
  isCommonJs(file) {
    return /^(CommonJS|script)$/.test(this.kindOf(file));
  }

  /** List what a module exports all of. */
  allOf(file) {
    const isModule = this.kindOf(file) !== undefined;
    return isModule ? this.#kinds.get(file).all : [];
  }

  /**
   * Tell what a file is.
   *
   * @param {string} file
   * @returns {'module' | 'waiting' | 'script' | 'CommonJS' | undefined} a module that waits
   *   while it runs cannot be required; undefined for what is not code of src/
   */
  kindOf(file) {
    if (!this.isSource(file)) return undefined;
    const time = fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs;
    if (time === undefined) return undefined;
    const known = this.#kinds.get(file);
    if (known?.time === time) return known.kind;
    const read = readKind(file, fs.readFileSync(file, 'utf8'));
    this.#kinds.set(file, { time, ...read });
    return read.kind;
  }

  /** Tell whether src/ has any CommonJS: else nobody must look at what is imported. */
  get hasCommonJs() {
    this.#hasCommonJs ??= this.sourceFiles.some((file) =>
      this.isCommonJs(file),
    );
    return this.#hasCommonJs;
  }

  get sourceFiles() {
    const src = path.join(this.app.root, 'src');
    return fs
      .readdirSync(src, { recursive: true })
      .map((name) => normalizePath(path.join(src, name)))
      .filter((file) => this.isSource(file));
  }

  /** The names that tests have mocks for. */
  get mocked() {
    const mocks =
      /\bjest\s*\.\s*\w*[mM]ock\(\s*['"`]([^'"`]+)|__mocks__\/(.+)\.\w+$/g;
    this.#mocked ??= new Set(
      this.sourceFiles
        .filter(isForTests)
        .map((file) => `${fs.readFileSync(file, 'utf8')}\n${file}`)
        .flatMap((text) => [...text.matchAll(mocks)])
        .map(([, name, file]) => name ?? file),
    );
    return this.#mocked;
  }

  /** Find what must load anew when a file is made, changed or removed. */
  affectedBy({ type, file, modules }, { moduleGraph, hot }) {
    const before = this.#kinds.get(file)?.kind;
    if (type === 'create') this.#hasCommonJs = undefined;
    if (before && before !== this.kindOf(file)) {
      this.#hasCommonJs = undefined;
      moduleGraph.invalidateAll();
      hot.send({ type: 'full-reload' });
      return [];
    }
    if (type === 'update') return undefined;
    const listing = [...this.folders]
      .filter(([, folders]) => folders.some((it) => file.startsWith(it)))
      .map(([id]) => moduleGraph.getModuleById(id));
    return [...modules, ...listing.filter(Boolean)];
  }

  /** Let a module run only when it is required, also where it was imported before. */
  deferModule(file, { moduleGraph, hot }) {
    if (this.#deferred.has(file)) return;
    this.#deferred.add(file);
    const imported = moduleGraph.getModuleById(file);
    if (!imported?.transformResult) return;
    moduleGraph.invalidateModule(imported);
    hot.send({ type: 'full-reload' });
  }

  /** Write what a deferred module is for who imports it. */
  runDeferred(file) {
    if (!this.#deferred.has(file)) return undefined;
    const program = parseModule(file, fs.readFileSync(file, 'utf8'));
    const names = ownExports(program).filter((name) => name !== 'default');
    const all = sourcesOfAll(program).map((it) => `export * from ${it.raw};`);
    return `${whenImported(file, names, false)}\n${all.join('\n')}`;
  }

  packagesFile(id) {
    return path.join(this.cache, `${id.slice(PACKAGES_OF.length)}.js`);
  }

  /**
   * Write a module that requires packages, to be bundled with all others that src/ uses.
   *
   * @param {string[]} requests
   * @returns {string} its id; load0 gives the first package, when it is first called
   */
  writePackages(requests) {
    const code = requests
      .map((it, i) => `export const load${i} = () => require(${quote(it)});\n`)
      .join('');
    const hash = createHash('sha256').update(code).digest('hex').slice(0, 16);
    const id = PACKAGES_OF + hash;
    if (!fs.existsSync(this.packagesFile(id))) {
      fs.mkdirSync(this.cache, { recursive: true });
      fs.writeFileSync(this.packagesFile(id), code);
    }
    return id;
  }
}

/** List what `export * from` names. */
function sourcesOfAll({ body }) {
  return body
    .filter((it) => it.type === 'ExportAllDeclaration' && !it.exported)
    .map(({ source }) => source);
}

function readKind(file, code) {
  const program = parseModule(file, code);
  if (!program) return { kind: 'module', all: [] };
  if (isModule(program)) {
    const all = sourcesOfAll(program).map(({ value }) => value);
    return { kind: waits(program) ? 'waiting' : 'module', all };
  }
  const free = freeReferences(program, NAMES, () => undefined);
  return { kind: free.length > 0 ? 'CommonJS' : 'script', all: [] };
}

/** The plain address of what is required: run it, and export what it exports. */
export function whenImported(file, names, isCommonJs) {
  const exported = names.map(
    (name, i) => `const _${i} = exports.${name}; export { _${i} as ${name} };`,
  );
  return `import { load } from ${quote(`${file}?commonjs`)};
    const exports = load();
    ${isCommonJs ? 'export { exports as __commonJs };' : ''}
    export default exports?.__esModule ? exports.default : exports;
    ${exported.join('\n')}`;
}

export function quote(text) {
  return JSON.stringify(text);
}
