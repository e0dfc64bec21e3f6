import fs from 'node:fs';
import path from 'node:path';
import { literally } from '../../lib/project.js';
import { ENDINGS } from './files.js';

/**
 * Read what a request means of which only a part is known: `./pages/${name}`.
 *
 * As webpack does: all files that begin and end so, below the last folder that is written out.
 *
 * @param {object} node a template or a sum of texts
 * @param {(node: object) => { value: unknown } | undefined} evaluate
 * @returns {{ folder: string, test: RegExp } | undefined} undefined where no folder is written
 */
export function readRequest(node, evaluate) {
  const texts = knownTexts(node, evaluate);
  const [first] = texts ?? [];
  if (!first?.includes('/')) return undefined;
  const folder = first.slice(0, first.lastIndexOf('/') + 1);
  const rest = [`./${first.slice(folder.length)}`, ...texts.slice(1)];
  const test = new RegExp(`^${rest.map(literally).join('.*')}$`);
  return { folder, test };
}

/** List the texts before, between and after what is not known. */
function knownTexts(node, evaluate) {
  const known = evaluate(node);
  if (known) return [String(known.value)];
  if (node.type === 'TemplateLiteral') {
    const texts = [node.quasis[0].value.cooked];
    node.expressions.forEach((expression, i) => {
      append(texts, knownTexts(expression, evaluate));
      append(texts, [node.quasis[i + 1].value.cooked]);
    });
    return texts;
  }
  if (isSumOfTexts(node)) {
    const texts = knownTexts(node.left, evaluate);
    append(texts, knownTexts(node.right, evaluate));
    return texts;
  }
  return ['', ''];
}

function isSumOfTexts({ type, operator, left, right }) {
  if (type !== 'BinaryExpression' || operator !== '+') return false;
  return [left, right].some(
    (it) =>
      it.type === 'TemplateLiteral' ||
      typeof it.value === 'string' ||
      isSumOfTexts(it),
  );
}

function append(texts, [first, ...more]) {
  texts[texts.length - 1] += first;
  texts.push(...more);
}

/**
 * List the files of a folder that a request may mean, each with the names that webpack knows.
 *
 * @param {string} folder
 * @param {RegExp} test for the names, which begin with "./"
 * @param {{ isDeep?: boolean, include?: RegExp, exclude?: RegExp }} [options]
 * @returns {{ file: string, names: string[] }[]}
 */
export function listContext(folder, test, options = {}) {
  const { isDeep = true, include, exclude } = options;
  return filesIn(folder, isDeep)
    .map((file) => ({ file, names: namesOf(file) }))
    .map(({ file, names }) => ({
      file,
      names: names.filter(
        (name) =>
          matches(test, name) &&
          (!include || matches(include, name)) &&
          !(exclude && matches(exclude, name)),
      ),
    }))
    .filter(({ names }) => names.length > 0);
}

/** A flag "g" would remember where the last match was. */
function matches(expression, text) {
  expression.lastIndex = 0;
  return expression.test(text);
}

function filesIn(folder, isDeep, below = '.') {
  const place = path.join(folder, below);
  if (!fs.existsSync(place)) return [];
  return fs
    .readdirSync(place, { withFileTypes: true })
    .filter(({ name }) => !name.startsWith('.'))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const name = `${below}/${entry.name}`;
      const isFolder = fs.statSync(path.join(place, entry.name)).isDirectory();
      if (!isFolder) return name;
      return isDeep ? filesIn(folder, isDeep, name) : [];
    });
}

/** A file also has its name without the ending, and "index" that of its folder. */
function namesOf(file) {
  const short = ENDINGS.filter((ending) => file.endsWith(ending)).map((it) =>
    file.slice(0, -it.length),
  );
  const names = [file, ...new Set(short)];
  const index = names.find((name) => name.endsWith('/index'));
  if (index) names.push(index.slice(0, -5), index.slice(0, -6));
  return names.filter((name) => name !== '.');
}

/**
 * Find the folder that a request begins with.
 *
 * @param {string} request such as "./pages/", "../images/" or "highlight.js/lib/"
 * @param {string} importer the file that has it
 * @param {string | undefined} base the folder of absolute imports
 * @returns {string | undefined} undefined where there is none
 */
export function findFolder(request, importer, base) {
  if (/^\.{1,2}\//.test(request) || path.isAbsolute(request)) {
    const folder = path.resolve(path.dirname(importer), request);
    return fs.existsSync(folder) ? folder : undefined;
  }
  const parents = [];
  for (let at = path.dirname(importer); ; at = path.dirname(at)) {
    parents.push(path.join(at, 'node_modules'));
    if (at === path.dirname(at)) break;
  }
  const homes = base ? [base, ...parents] : parents;
  return homes
    .map((home) => path.resolve(home, request))
    .find((folder) => fs.existsSync(folder));
}
