import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import MagicString from 'magic-string';
import { createIdResolver, normalizePath } from 'vite';
import { readBaseUrl } from './absolute-imports.js';
import { findFolder, listContext, readRequest } from './contexts.js';
import { defer, isRequiredFirst, ownExports, waits } from './deferred.js';
import { CODE, PACKAGES, SOURCE, STYLE } from './files.js';
import { scan } from './scan.js';
import {
  dotted,
  evaluator,
  exportedNames,
  find,
  freeReferences,
  IN_MODULES,
  isModule,
  isTried,
  lineOf,
  parseModule,
} from './syntax.js';

const RUNTIME = normalizePath(
  fileURLToPath(new URL('./commonjs-runtime.js', import.meta.url)),
);
const NAMES = new Set(['require', 'module', 'exports']);
const PACKAGES_OF = 'create-react-app:packages-';
const RUNNER = /[?&]commonjs\b/;
// `module` as a value, and no word of a comment or of a file's name.
const MAY_BE_COMMONJS =
  /\brequire\b|\bexports\b|\bimport\s*\(|(?:^|[^.\w'"`/-])module\s*(?:[.)\]}&|?,;=!]|$)/m;
const TEST_CODE =
  /\/(__tests__|__mocks__)\/|\.(test|spec)\.\w+$|\/setupTests\./;
const SOURCE_CODE = { include: SOURCE, exclude: PACKAGES };

/**
 * Let src/ be written in CommonJS, and load what is known only in part, as webpack did:
 * require(), require.context(), module.exports, and import() of an expression.
 *
 * Rolldown bundles CommonJS as webpack did. Browsers and Vitest load ECMAScript modules: there
 * a module in CommonJS has two addresses. The one with ?commonjs gives what runs it when it is
 * first required; the plain one runs it, for who imports it.
 *
 * @param {import('./index.js').App} app
 * @returns {import('vite').Plugin[]}
 */
export function commonJs(app) {
  const project = new Project(app);
  return [
    {
      name: 'create-react-app:imports-of-commonjs',
      // Rolldown knows them.
      apply: 'serve',
      enforce: 'pre',
      load: {
        filter: { id: { include: SOURCE, exclude: [PACKAGES, RUNNER] } },
        handler: (id) => project.runDeferred(id),
      },
      transform: {
        filter: { id: SOURCE_CODE, code: /\bfrom\b|\bimport\s*\(/ },
        handler(code, id) {
          return new Importer(this, project, code, id).rewrite();
        },
      },
    },
    {
      name: 'create-react-app:commonjs',
      enforce: 'pre',
      configResolved: (config) => project.configure(config),
      resolveId: {
        filter: { id: new RegExp(`^${PACKAGES_OF}`) },
        handler(id, _importer, options) {
          const { depsOptimizer } = this.environment;
          const file = project.packagesFile(id);
          if (options.scan) return file;
          return depsOptimizer.getOptimizedDepId(
            depsOptimizer.registerMissingImport(id, file),
          );
        },
      },
      transform: {
        filter: {
          id: { include: SOURCE, exclude: [PACKAGES, RUNNER] },
          code: MAY_BE_COMMONJS,
        },
        handler(code, id) {
          if (isTestCode(app, id)) return undefined;
          return new Requirer(this, project, code, id).rewrite();
        },
      },
      hotUpdate: {
        order: 'pre',
        handler(options) {
          return project.affectedBy(options, this.environment);
        },
      },
    },
    {
      name: 'create-react-app:scripts',
      enforce: 'pre',
      transform: {
        filter: {
          id: { include: SOURCE, exclude: [PACKAGES, RUNNER] },
          code: { exclude: /\b(import|export|require|exports|module)\b/ },
        },
        handler(code, id) {
          if (isTestCode(app, id) || !project.isCommonJs(id)) return undefined;
          return app.isBuild
            ? { code: `${code}\nmodule.exports;`, map: null }
            : { code: whenImported(id, [], true), map: { mappings: '' } };
        },
      },
    },
    scan(app, project),
    {
      name: 'create-react-app:required',
      enforce: 'pre',
      transform: {
        filter: { id: RUNNER },
        handler(code, id) {
          return new Requirer(this, project, code, id).rewriteRequired();
        },
      },
    },
  ];
}

/** Tests are rewritten for Vitest, which can wait for what they require. */
function isTestCode(app, id) {
  return app.isTest && TEST_CODE.test(id);
}

/** What is known of the files in src/. */
class Project {
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
        .filter((file) => TEST_CODE.test(file))
        .map((file) => `${fs.readFileSync(file, 'utf8')}\n${file}`)
        .flatMap((text) => [...text.matchAll(mocks)])
        .map(([, name, file]) => name ?? file),
    );
    return this.#mocked;
  }

  /** Find what must load anew when a file is made, changed or removed. */
  affectedBy({ type, file, modules }, { moduleGraph, hot }) {
    const before = this.#kinds.get(file)?.kind;
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
    const all = program.body
      .filter((it) => it.type === 'ExportAllDeclaration' && !it.exported)
      .map(({ source }) => `export * from ${source.raw};`);
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
    fs.mkdirSync(this.cache, { recursive: true });
    fs.writeFileSync(this.packagesFile(id), code);
    return id;
  }
}

function readKind(file, code) {
  const program = parseModule(file, code);
  if (!program) return { kind: 'module', all: [] };
  if (isModule(program)) {
    const all = program.body
      .filter((it) => it.type === 'ExportAllDeclaration' && !it.exported)
      .map(({ source }) => source.value);
    return { kind: waits(program) ? 'waiting' : 'module', all };
  }
  const free = freeReferences(program, NAMES, () => undefined);
  return { kind: free.length > 0 ? 'CommonJS' : 'script', all: [] };
}

/** The plain address of what is required: run it, and export what it exports. */
function whenImported(file, names, isCommonJs) {
  const exported = names.map(
    (name, i) => `const _${i} = exports.${name}; export { _${i} as ${name} };`,
  );
  return `import { load } from ${quote(`${file}?commonjs`)};
    const exports = load();
    ${isCommonJs ? 'export { exports as __commonJs };' : ''}
    export default exports?.__esModule ? exports.default : exports;
    ${exported.join('\n')}`;
}

/** A module of src/ that is being rewritten. */
class Rewriting {
  #imports = [];
  #names = new Map();

  constructor(context, project, code, id) {
    this.context = context;
    this.project = project;
    this.code = code;
    this.id = id;
    [this.file] = id.split('?');
    this.text = new MagicString(code);
    this.isBuild = project.app.isBuild;
    this.isTest = project.app.isTest;
  }

  parse() {
    this.program = parseModule(this.id, this.code);
    this.isModule = this.program && isModule(this.program);
    const { module, script } = this.project.evaluators;
    this.evaluate = this.isModule ? module : script;
    return this.program && this.project.isSource(this.file);
  }

  /** Import for this module; return the name that it has here. */
  import(what, source) {
    const key = `${what} ${source}`;
    const known = this.#names.get(key);
    if (known) return known;
    const name = `${this.prefix}${this.#names.size}`;
    this.#names.set(key, name);
    const clause = { '*': `* as ${name}`, default: name }[what];
    const names = clause ?? `{ ${what} as ${name} }`;
    this.#imports.push(`import ${names} from ${quote(source)};`);
    return name;
  }

  /** Write a function of commonjs-runtime.js; import would make CommonJS another module. */
  runtime(name) {
    return this.isBuild && !this.isModule
      ? `require(${quote(RUNTIME)}).${name}`
      : this.import(name, RUNTIME);
  }

  overwrite({ start, end }, text) {
    this.text.overwrite(start, end, text);
  }

  /** Finish, with more text after the imports: on their last line, so that all lines stay. */
  done(more = '', isBody = false) {
    const added = this.#imports.join('') + more;
    const last = isBody
      ? undefined
      : this.program.body.findLast(({ type }) => type === 'ImportDeclaration');
    if (last) this.text.appendLeft(last.end, added && `;${added}`);
    else this.text.prepend(added);
    if (!this.text.hasChanged()) return undefined;
    const map = this.text.generateMap({ hires: 'boundary' });
    return { code: this.text.toString(), map };
  }
}

/** Who imports CommonJS gets any name of it: browsers know only those that a module lists. */
class Importer extends Rewriting {
  prefix = '__imported';
  #values = new Map();

  async rewrite() {
    if (!this.project.hasCommonJs || !this.parse()) return undefined;
    const { body } = this.program;
    let added = '';
    const all = [];
    for (const node of body) {
      if (!(await this.isOfCommonJs(node.source))) continue;
      if (node.type === 'ImportDeclaration' && node.importKind !== 'type') {
        added += this.importNames(node);
      } else if (node.type === 'ExportNamedDeclaration') {
        added += this.exportNames(node);
      } else if (node.exported) {
        added += this.exportAs(node);
      } else if (node.type === 'ExportAllDeclaration') {
        all.push(this.module(node.source));
      }
    }
    if (all.length > 0) {
      added += `export const __commonJsOf = [${all.join(', ')}];`;
    }
    this.readWhenUsed();
    for (const node of find(this.program, 'ImportExpression')) {
      if (!(await this.isOfCommonJs(node.source))) continue;
      this.text.appendLeft(node.end, `.then(${this.runtime('imported')})`);
    }
    return this.done(added);
  }

  async isOfCommonJs(source) {
    if (typeof source?.value !== 'string') return false;
    return this.hasCommonJs(source.value, this.file);
  }

  /** Also by `export *`, however far away. */
  async hasCommonJs(request, importer, seen = new Set()) {
    const found = await this.context.resolve(request, importer);
    if (!found || seen.has(found.id)) return false;
    if (this.project.isCommonJs(found.id)) return true;
    seen.add(found.id);
    for (const source of this.project.allOf(found.id)) {
      if (await this.hasCommonJs(source, found.id, seen)) return true;
    }
    return false;
  }

  importNames({ start, end, source, specifiers }) {
    if (specifiers.length === 0) return '';
    this.overwrite({ start, end }, `import ${quote(source.value)};`);
    const name = `__module${start}`;
    for (const { type, imported, local } of specifiers) {
      const isAll = type === 'ImportNamespaceSpecifier';
      const isDefault = type === 'ImportDefaultSpecifier';
      const key = isDefault ? 'default' : text(imported ?? {});
      this.#values.set(local.name, isAll ? name : `${name}.${key}`);
    }
    return `const ${name} = ${this.module(source)};`;
  }

  /** An import is what its module has at that time. */
  readWhenUsed() {
    const names = new Set(this.#values.keys());
    const used = freeReferences(this.program, names, () => undefined, true);
    for (const { node, parents } of used) {
      const value = this.#values.get(node.name);
      const parent = parents.at(-1);
      if (parent.type === 'ExportSpecifier') {
        this.text.append(`\nconst ${node.name} = ${value};`);
      } else if (parent.shorthand) {
        this.overwrite(node, `${node.name}: ${value}`);
      } else if (parent.callee === node && parent.type === 'CallExpression') {
        this.overwrite(node, `(0, ${value})`);
      } else {
        this.overwrite(node, value);
      }
    }
  }

  exportAs({ start, end, source, exported }) {
    this.overwrite({ start, end }, `import ${quote(source.value)};`);
    const name = `__export${start}`;
    return `const ${name} = ${this.module(source)}; export { ${name} as ${text(exported)} };`;
  }

  exportNames({ start, end, source, specifiers }) {
    this.overwrite({ start, end }, `import ${quote(source.value)};`);
    const module = this.module(source);
    const names = specifiers.map(({ local, exported }, i) => {
      const name = `__export${start}_${i}`;
      const value = `${module}[${quote(text(local))}]`;
      return `const ${name} = ${value}; export { ${name} as ${text(exported)} };`;
    });
    return names.join('');
  }

  module(source) {
    const imported = this.import('*', source.value);
    return `${this.runtime('imported')}(${imported})`;
  }
}

/** A module that requires, is CommonJS, or imports what is known only when it runs. */
class Requirer extends Rewriting {
  prefix = '__required';
  #folders = [];
  #packages = [];

  async rewrite() {
    if (!this.parse()) return undefined;
    const free = await this.rewriteReferences();
    if (free.length === 0 || this.isModule || this.isBuild) {
      return this.done(this.importPackages());
    }
    const names = exportedNames(this.program);
    const code = whenImported(this.file, names, true);
    return { code, map: { mappings: '' } };
  }

  /** Rewrite it as what runs when it is required. */
  async rewriteRequired() {
    if (!this.parse()) return undefined;
    await this.rewriteReferences();
    const before = this.importPackages();
    this.removeDeclared();
    if (!this.isModule) {
      const run = this.runtime('commonJs');
      this.text.append('\n});');
      return this.done(
        `${before}export const load = ${run}(function (module, exports, require) {`,
      );
    }
    const { imports, getters, copied } = defer(this.program, this.text);
    const run = this.runtime('deferred');
    const exported = [...getters].map(
      ([name, value]) => `${quote(name)}: () => ${value}`,
    );
    const exportAs = `${this.runtime('exportAs')}(exports, { ${exported.join(', ')} }${copied.map((it) => `, ${it}`).join('')});`;
    this.text.append('\n});');
    return this.done(
      `${imports.join('')}${before}export const load = ${run}((exports) => {${exportAs}`,
      true,
    );
  }

  /** Remove `declare …`: no function may declare its own parameters, or a module. */
  removeDeclared() {
    for (const node of this.program.body.filter((it) => it.declare)) {
      const lines = this.code.slice(node.start, node.end).replace(/.+/g, '');
      this.overwrite(node, `;${lines}`);
    }
  }

  async rewriteReferences() {
    const { program, project } = this;
    const free = freeReferences(program, NAMES, this.evaluate);
    for (const { node, parents } of free) await this.rewriteName(node, parents);
    for (const node of find(program, 'ImportExpression')) {
      await this.rewriteImport(node);
    }
    project.folders.set(this.id, this.#folders);
    return free;
  }

  async rewriteName(node, parents) {
    const parent = parents.at(-1);
    const isMember =
      parent?.type === 'MemberExpression' && parent.object === node;
    if (parent?.operator === 'typeof' && this.isModule) {
      this.overwrite(parent, quote(IN_MODULES[node.name]));
    } else if (node.name !== 'require') {
      const isExports =
        node.name === 'exports' ? isMember : /\.exports$/.test(dotted(parent));
      if (this.isModule && isExports) this.refuseMixture(node);
      if (this.isModule && !isExports && node.name === 'module') {
        this.describeModule(node, parent);
      }
    } else if (parent?.type === 'CallExpression' && parent.callee === node) {
      await this.rewriteRequire(parent, parents.slice(0, -1));
    } else if (parent?.type === 'UnaryExpression') {
      if (parent.operator === 'typeof') this.overwrite(parent, '"function"');
    } else if (!isMember) {
      this.warn(node, 'require() is passed on');
      const name = this.runtime('missing');
      this.overwrite(node, parent?.shorthand ? `require: ${name}` : name);
    } else {
      await this.rewriteMember(parent, parents.at(-2));
    }
  }

  /** What webpack gives an ES module of `module`; `module.hot` is taken for undefined before. */
  describeModule(node, parent) {
    if (dotted(parent) === 'module.hot') return;
    const id = path.relative(this.project.app.root, this.file);
    const place = quote(`./${normalizePath(id)}`);
    const module = `${this.runtime('moduleOf')}(${place})`;
    this.overwrite(node, parent?.shorthand ? `module: ${module}` : module);
  }

  async rewriteMember(member, call) {
    const { name } = member.property;
    const isCalled = call?.type === 'CallExpression' && call.callee === member;
    if (name === 'context' && isCalled) await this.rewriteContext(call);
    else if (name === 'resolve' && isCalled) await this.rewriteResolve(call);
    else if (name === 'ensure') this.rewriteEnsure(member, call);
    // No module of a page was started by itself.
    else if (name === 'main') this.overwrite(member, 'undefined');
    else {
      this.warn(member, `${dotted(member)} is webpack's`);
      this.overwrite(member.object, this.runtime('missing'));
    }
  }

  /** What it runs later is given `require`: that of the module is meant. */
  rewriteEnsure(member, call) {
    this.overwrite(member, this.runtime('ensure'));
    for (const { params = [] } of call.arguments) {
      for (const param of params) this.overwrite(param, '__require');
    }
  }

  refuseMixture({ start }) {
    this.context.error(
      'module.exports and exports do not go together with import and export: under ' +
        'create-react-app, too, this failed when it ran. Write export, or require() for import.',
      start,
    );
  }

  /** As webpack does: warn, and fail when it runs. */
  warn({ start }, problem) {
    const file = path.relative(this.project.app.root, this.file);
    this.context.warn(
      `${normalizePath(file)}:${lineOf(this.code, start)}: ${problem}; it will fail when it ` +
        "runs. Write a path that begins with a folder: require('./parts/' + name).",
      start,
    );
  }

  async rewriteRequire(call, parents) {
    const parent = parents.at(-1);
    const hasDefault =
      parent?.object === call && parent.property.name === 'default';
    const [request] = call.arguments;
    const write = this.required;
    const isFirst = isRequiredFirst(
      this.program,
      [...parents, call],
      this.evaluate,
    );
    const options = { hasDefault, isTried: isTried(parents), isFirst, write };
    const value = request && (await this.value(request, request, options));
    if (value) return this.overwrite(call, value);
    this.warn(call, 'what this requires is known only when it runs');
    this.overwrite(call.callee, this.runtime('missing'));
  }

  async rewriteImport(node) {
    const { source } = node;
    const comment = this.commentIn(node);
    if (source.type === 'Literal' || /@vite-ignore/.test(comment)) return;
    if (/webpackIgnore:\s*true/.test(comment)) {
      this.text.appendLeft(source.start, '/* @vite-ignore */ ');
      return;
    }
    const write = (request) => `import(${quote(request)})`;
    const value = await this.value(source, node, {
      write,
      choose: 'chooseLater',
    });
    if (value) this.overwrite(node, value);
  }

  /** Write what a request gives; undefined where nothing of it is known. */
  async value(request, around, options) {
    const { evaluate } = this;
    const { base } = this.project;
    if (request.type === 'ConditionalExpression') {
      const { test, consequent, alternate } = request;
      const yes = await this.value(consequent, around, options);
      const no = await this.value(alternate, around, options);
      const condition = this.code.slice(test.start, test.end);
      return yes && no && `(${condition} ? ${yes} : ${no})`;
    }
    const known = evaluate(request);
    if (known) return options.write.call(this, String(known.value), options);
    const chosen = readRequest(request, evaluate);
    const folder = chosen && findFolder(chosen.folder, this.file, base);
    if (!folder) return undefined;
    const files = listContext(folder, chosen.test, this.filters(around));
    const list = await this.list(folder, chosen.folder, files, options);
    const name = this.code.slice(request.start, request.end);
    const choose = this.runtime(options.choose ?? 'choose');
    return `${choose}(${list}, ${quote(chosen.folder)}, ${name})`;
  }

  async list(folder, written, files, options) {
    this.#folders.push(`${normalizePath(folder)}/`);
    const place = PACKAGES.test(`${normalizePath(folder)}/`)
      ? `${normalizePath(folder)}/`
      : written;
    const lines = [];
    for (const { file, names } of files) {
      const value = await options.write.call(this, place + file.slice(2), {});
      lines.push(`[() => ${value}, ${names.map(quote).join(', ')}]`);
    }
    return `[${lines.join(', ')}]`;
  }

  async rewriteContext(call) {
    const { evaluate } = this;
    const { base } = this.project;
    const [request, deep, test, mode] = call.arguments;
    const written = request && evaluate(request)?.value;
    const isDeep = deep ? evaluate(deep) : { value: true };
    const isLater = (mode ? evaluate(mode)?.value : 'sync') !== 'sync';
    if (!written || !isDeep || (test && !test.regex)) {
      this.context.error(
        'require.context() takes a folder, true or false, and a regular expression, each written out.',
        call.start,
      );
    }
    const place = written.replace(/\/?$/, '/');
    const folder = findFolder(place, this.file, base);
    if (!folder) {
      const wanted = path.resolve(path.dirname(this.file), place);
      this.project.folders.set(this.id, [`${normalizePath(wanted)}/`]);
      this.context.error(`There is no folder ${written}.`, request.start);
    }
    const { pattern, flags } = test?.regex ?? { pattern: '.*', flags: '' };
    const files = listContext(folder, new RegExp(pattern, flags), {
      isDeep: isDeep.value,
    });
    const write = isLater ? (file) => `import(${quote(file)})` : this.required;
    const list = await this.list(folder, place, files, { write });
    this.overwrite(
      call,
      `${this.runtime('context')}(${list}, ${quote(place)})`,
    );
  }

  /** A module's id, as webpack named it in development. */
  async rewriteResolve(call) {
    const known = call.arguments[0] && this.evaluate(call.arguments[0]);
    const request = known && String(known.value);
    const found = request && (await this.context.resolve(request, this.file));
    if (!found) {
      const why = request
        ? `There is no ${request}.`
        : 'Its path is not written out.';
      this.context.error(`require.resolve(): ${why}`, call.start);
    }
    const place = path.relative(this.project.app.root, found.id.split('?')[0]);
    this.overwrite(call, quote(`./${normalizePath(place)}`));
  }

  filters({ start, end }) {
    const comment = this.commentIn({ start, end });
    const read = (name) => {
      const found = new RegExp(`${name}:\\s*/(.+?)/(\\w*)\\s*(?:,|$)`, 'm');
      const [, pattern, flags] = found.exec(comment) ?? [];
      return pattern && new RegExp(pattern, flags);
    };
    return { include: read('webpackInclude'), exclude: read('webpackExclude') };
  }

  commentIn({ start, end }) {
    return this.program.comments
      .filter((it) => it.start >= start && it.end <= end)
      .map(({ value }) => value)
      .join('\n');
  }

  /** Write what require() of a path gives. */
  async required(request, { hasDefault, isTried, isFirst }) {
    const { environment } = this.context;
    if (environment.depsOptimizer && /^[\w@]/.test(request)) {
      // Vite's own search would make it one that runs when it is loaded.
      const file = await this.project.findPackage(
        environment,
        request,
        this.file,
      );
      if (file && PACKAGES.test(file) && CODE.test(file)) {
        return this.requiredPackage(request);
      }
    }
    const found = await this.context.resolve(request, this.file);
    if (!found && isTried) {
      return `${this.runtime('missing')}(${quote(request)})`;
    }
    const [file] = found?.id.split('?') ?? [request];
    const ending = path.extname(file);
    const isCode = !found || ending === '' ? !found : CODE.test(ending);
    if (STYLE.test(ending)) return this.namespace(request);
    if (isCode && PACKAGES.test(file) && environment.depsOptimizer) {
      return this.requiredPackage(file);
    }
    if (isCode) return this.requiredCode(request, file, isFirst);
    if (ending === '.json') {
      return this.isBuild
        ? `require(${quote(request)})`
        : this.import('default', request);
    }
    return this.requiredFile(request, ending, hasDefault);
  }

  /** Write a file's address; an SVG's has its component, too. */
  requiredFile(request, ending, hasDefault) {
    const required = `require(${quote(request)})`;
    if (ending === '.svg') {
      const module = this.isBuild ? required : this.import('*', request);
      return `${this.runtime('withAddress')}(${module})`;
    }
    if (this.isBuild) return hasDefault ? required : `${required}.default`;
    const address = this.import('default', request);
    // As with react-scripts 4; those of version 5 gave the address alone.
    return hasDefault ? `({ default: ${address} })` : address;
  }

  requiredCode(request, file, isFirst) {
    if (this.isBuild) return `require(${quote(request)})`;
    if (this.isTest && PACKAGES.test(file)) {
      return this.packageInTests(request, file);
    }
    const kind = this.project.kindOf(file);
    const isDeferred = kind === 'module' && !isFirst;
    if (isDeferred) this.project.deferModule(file, this.context.environment);
    if (isDeferred || this.project.isCommonJs(file)) {
      return `${this.import('load', `${file}?commonjs`)}()`;
    }
    return this.namespace(request);
  }

  /** What no test replaces, Node.js requires; a mock is imported. */
  packageInTests(request, file) {
    if (this.project.mocked.has(request)) {
      return this.namespace(request, isPackageCommonJs(file));
    }
    const isAlias = !file.includes(`/node_modules/${request}/`);
    const create = this.import('createRequire', 'node:module');
    const place = isAlias ? file : request;
    return `${create}(${quote(this.file)})(${quote(place)})`;
  }

  requiredPackage(request) {
    if (!this.#packages.includes(request)) this.#packages.push(request);
    return `__package${this.#packages.indexOf(request)}()`;
  }

  namespace(request, isCommonJs = false) {
    if (this.isBuild) return `require(${quote(request)})`;
    const module = this.import('*', request);
    const more = isCommonJs ? ', true' : '';
    return `${this.runtime('required')}(${module}${more})`;
  }

  importPackages() {
    if (this.#packages.length === 0) return '';
    const id = this.project.writePackages(this.#packages);
    const names = this.#packages.map((_, i) => `load${i} as __package${i}`);
    return `import { ${names.join(', ')} } from ${quote(id)};`;
  }
}

/** Tell how Node.js reads a package's file. */
function isPackageCommonJs(file) {
  if (/\.m[jt]s$/.test(file)) return false;
  const program = parseModule(file, fs.readFileSync(file, 'utf8'));
  return Boolean(program) && !isModule(program);
}

function quote(text) {
  return JSON.stringify(text);
}

function text({ name, value }) {
  return name ?? value;
}
