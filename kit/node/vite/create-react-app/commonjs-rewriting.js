import { fileURLToPath } from 'node:url';
import MagicString from 'magic-string';
import { normalizePath } from 'vite';
import { quote } from './commonjs-project.js';
import { isModule, parseModule } from './syntax.js';

const RUNTIME = normalizePath(
  fileURLToPath(new URL('./commonjs-runtime.js', import.meta.url)),
);

/** A module of src/ that is being rewritten. */
export class Rewriting {
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
