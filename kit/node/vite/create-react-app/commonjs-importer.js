import { quote } from './commonjs-project.js';
import { Rewriting } from './commonjs-rewriting.js';
import { find, freeReferences } from './syntax.js';

/** Who imports CommonJS gets any name of it: browsers know only those that a module lists. */
export class Importer extends Rewriting {
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
      const member = /^[\w$]+$/.test(key) ? `.${key}` : `[${quote(key)}]`;
      this.#values.set(local.name, isAll ? name : name + member);
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

function text({ name, value }) {
  return name ?? value;
}
