import fs from 'node:fs';
import path from 'node:path';
import { normalizePath } from 'vite';
import { NAMES, quote, whenImported } from './commonjs-project.js';
import { Rewriting } from './commonjs-rewriting.js';
import { findFolder, listContext, readRequest } from './contexts.js';
import { defer, isRequiredFirst } from './deferred.js';
import { CODE, PACKAGES, STYLE } from './files.js';
import {
  dotted,
  exportedNames,
  find,
  freeReferences,
  IN_MODULES,
  isModule,
  isTried,
  lineOf,
  parseModule,
} from './syntax.js';

/** A module that requires, is CommonJS, or imports what is known only when it runs. */
export class Requirer extends Rewriting {
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
