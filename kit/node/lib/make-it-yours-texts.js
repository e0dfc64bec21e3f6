import { STARTER } from './make-it-yours-names.js';
import { literally } from './project.js';

const NAMES = new RegExp(Object.values(STARTER).map(literally).join('|'), 'g');
const KEYS = Object.keys(STARTER);
// In code, the text between tags is none that quotes surround.
const BETWEEN_TAGS = />\s*$/;

/**
 * How a text is written into a file of ours, by the file's name.
 *
 * @type {[RegExp, (text: string, before: string) => string][]}
 */
const ESCAPES = [
  [/\.(html|svg|xml|iml)$/, toHtml],
  [
    /\.[jt]sx?$/,
    (text, before) =>
      BETWEEN_TAGS.test(before) ? toJsx(text) : toLiteral(text),
  ],
  [/\.py$/, toLiteral],
  [
    /\.(json|toml|code-workspace)$/,
    (text) => JSON.stringify(text).slice(1, -1),
  ],
  [/\.md$/, toMarkdown],
  [/(^|\/)Dockerfile$/, (text) => text.replace(/[\\"$]/g, '\\$&')],
  // systemd.unit(5), "Specifiers"
  [/\.service$/, (text) => text.replaceAll('%', '%%')],
];

/**
 * Write a project's own names into a text, in the place of the starter's.
 *
 * @param {string} file its name, which says how they are written
 * @param {string} text
 * @param {{ name: string, slug: string, description: string }} names
 * @returns {string}
 */
export function withNames(file, text, names) {
  const [, escaped] = ESCAPES.find(([kind]) => kind.test(file)) ?? [];
  return text.replace(NAMES, (found, place) => {
    const own = names[KEYS.find((key) => STARTER[key] === found)];
    return escaped ? escaped(own, text.slice(0, place)) : own;
  });
}

const ENTITIES = {
  '&': 'amp',
  '<': 'lt',
  '>': 'gt',
  '"': 'quot',
  '%': '#37',
  '{': '#123',
  '}': '#125',
};
const entity = (it) => `&${ENTITIES[it]};`;

// Vite and create-react-app replace %NAME% in index.html, and Biome takes { for a template's.
function toHtml(text) {
  return text.replace(/[&<>"%{}]/g, entity);
}

function toJsx(text) {
  return text.replace(/[&<>{}]/g, entity);
}

/** For strings of JavaScript and Python, whichever quotes they have. */
function toLiteral(text) {
  const code = (it) => it.charCodeAt().toString(16).padStart(4, '0');
  return text.replace(/[\\"'`$]/g, (it) => `\\u${code(it)}`);
}

function toMarkdown(text) {
  return text
    .replace(/[\\`*_[\]<>&#|~$]/g, '\\$&')
    .replace(/^(\d+)?([-+=.)])/, '$1\\$2');
}
