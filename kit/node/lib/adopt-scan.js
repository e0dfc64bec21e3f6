import { builtinModules } from 'node:module';
import path from 'node:path';
import { isForTests } from './project.js';

const PROXY = 'src/setupProxy.js';
const PACKAGE = /^(@[\w.-]+\/)?\w[\w.-]*/;
const OF_EXPRESS =
  /^(app\.(?!use$)|res(ponse)?\.(send|sendFile|sendStatus|json|status|redirect|render|cookie)$)/;
const OF_FETCH = /\b(fetch|msw|Response|Headers)\b/;
const IS_FLOW = /^\s*\/[/*][\s\S]{0,1000}?@flow\b/;
const NOT_HERE = [
  [/^(?!!*(file|url|raw|worker)-loader\b).*!/, "A loader of webpack's"],
  [
    /^(?!styled-components\/|@emotion\/(styled|react|css)\/).*\bmacro$/,
    'A macro of Babel: import what it writes',
  ],
  [/^@jest\/globals$/, '@jest/globals: delete the import, they are global'],
];

/**
 * Find out what the old code needs, and what of it does not work here.
 *
 * @param {import('./adopt-files.js').OldProject} old is told of the latter
 * @param {Pick<typeof import('vite'), 'parseSync' | 'Visitor'>} vite
 * @returns {{ imported: Set<string>, needed: Set<string>, unlisted: Map<string, string> }} names of
 *   packages: those that src/ imports, those that make a feature work, and those that are
 *   imported because they were there for another one, with the range to list
 */
export function scanSource(old, vite) {
  const found = {
    imported: new Set(),
    needed: new Set(),
    unlisted: new Map(),
  };
  for (const file of old.pageFiles.filter((name) => name.startsWith('src/'))) {
    if (/\.(css|less|s[ac]ss)$/.test(file)) scanStyle(old, file, found);
    else if (/\.(mjs|[jt]sx?)$/.test(file)) scanModule(old, vite, file, found);
  }
  return found;
}

function scanStyle(old, file, { imported, needed }) {
  const text = old.read(file);
  if (/\.s[ac]ss$/.test(file)) needed.add('sass');
  if (file.endsWith('.less')) needed.add('less');
  const imports = /@(?:import|use|forward)\s+(?:url\()?['"]~?([^'"]+)/g;
  for (const [, id] of text.matchAll(imports)) imported.add(nameIn(id));
  const at = text.indexOf('@import-normalize');
  if (at >= 0)
    old.warn('@import-normalize: the package normalize.css', file, at);
}

function scanModule(old, vite, file, { imported, needed, unlisted }) {
  const code = old.read(file);
  const warn = (text, node) => old.warn(text, file, node.start);
  const isTest = isForTests(`/${file}`);
  const isPage = !isTest && file !== PROXY;
  if (isTest && OF_FETCH.test(code)) needed.add('whatwg-fetch');
  const types = code.indexOf('types="react-scripts"');
  if (types >= 0) {
    warn('Types of react-scripts; npx tsc finds types="vite/client"', {
      start: types,
    });
  }

  const onImport = (node, isType) => {
    const id = node?.value;
    if (typeof id !== 'string') return;
    for (const [pattern, text] of NOT_HERE) {
      if (pattern.test(id)) warn(text, node);
    }
    const place = path.posix.join(path.posix.dirname(file), id);
    if (/^\./.test(id) && !/^(src|public)(\/|$)/.test(place)) {
      warn('Imports what is not in src/, and was not copied', node);
    }
    const name = nameIn(id);
    imported.add(name);
    if (isType || !name || id.includes('!') || old.has(name)) return;
    const version = old.installedVersion(name);
    if (version) {
      unlisted.set(name, `^${version}`);
    } else if (!builtinModules.includes(name)) {
      warn(`"${name}" is neither listed in package.json nor in src/`, node);
    } else if (isPage) {
      warn(
        `"${name}" of Node.js; the build says which package stands in`,
        node,
      );
    }
  };
  const onNames = ({ source, specifiers, importKind, exportKind }) => {
    onImport(source, (importKind ?? exportKind) === 'type');
    const names = specifiers.map((it) => (it.imported ?? it.local)?.name);
    if (/\.svg$/.test(source?.value) && names.includes('ReactComponent')) {
      needed.add('vite-plugin-svgr');
    }
  };

  new vite.Visitor({
    ImportDeclaration: onNames,
    ExportNamedDeclaration: onNames,
    ExportAllDeclaration: ({ source }) => onImport(source),
    ImportExpression: ({ source }) => onImport(source),
    CallExpression(node) {
      const isImport = /^(require|jest\.(mock|doMock|requireActual))$/;
      if (isImport.test(nameOf(node.callee))) onImport(node.arguments[0]);
    },
    MemberExpression(node) {
      if (file === PROXY && OF_EXPRESS.test(nameOf(node)))
        needed.add('express');
    },
    Identifier(node) {
      if (node.name === '__webpack_require__') warn(node.name, node);
    },
    Decorator(node) {
      if (old.allowsDecorators) return;
      warn('Decorators want "experimentalDecorators" in jsconfig.json', node);
    },
  }).visit(parse(old, vite, file, code, needed));
}

/** Types of Flow, also in a file that does not say @flow, mostly read as those of TypeScript. */
function parse(old, { parseSync }, file, code, needed) {
  const lang = /\.(tsx?)$/.exec(file)?.[1] ?? 'jsx';
  const { program, errors } = parseSync(file, code, { lang });
  if (errors.length === 0) return program;
  const typed = parseSync(file, code, { lang: 'tsx' });
  if (lang === 'jsx' && (IS_FLOW.test(code) || typed.errors.length === 0)) {
    needed.add('flow-remove-types');
  } else {
    const [{ message, labels }] = errors;
    old.warn(`Unreadable: ${message}`, file, labels[0]?.start);
  }
  return typed.program;
}

/** The package that an import names, if it names one. */
function nameIn(id) {
  return PACKAGE.exec(id.replace(/^.*!|^node:/, ''))?.[0];
}

function nameOf(node) {
  if (node.type === 'Identifier') return node.name;
  if (node.type !== 'MemberExpression' || node.computed) return '';
  return `${nameOf(node.object)}.${node.property.name}`;
}
