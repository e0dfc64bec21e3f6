import { isUtf8 } from 'node:buffer';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { askGit } from './git.js';
import { withNames } from './make-it-yours-texts.js';
import { problem, ROOT } from './project.js';

const BLANK = fileURLToPath(new URL('../blank/', import.meta.url));
/** The page, the API and their tests, which belong together. */
const EXAMPLE = /^(api|public|src|tests)\//;
/** Scripts for work on the starter itself. */
const OF_THE_STARTER =
  /^node kit\/node (python -m bench|test-kit|test-extensions)$/;
/** Lines about what only the starter has, in files that stay. */
const LINES = {
  '.ci/run': /A fork may be|test-kit|\b(nginx|openssl|postgresql|systemd)\b/,
  '.dockerignore': /^(bench|examples)\s*$/,
  'docs/types.md': /^!\[/,
};
// It tells of the files that create-react-app made.
const OF_OTHERS = 'docs/create-react-app.md';
// `~`: each minor version of TypeScript may find errors that the one before did not.
const TYPES = {
  '@types/react': '^19.3.0',
  '@types/react-dom': '^19.3.0',
  typescript: '~7.0.2',
};

/**
 * Plan what makes a copy of the starter somebody's own project. Nothing is written.
 *
 * @param {{ name: string, slug: string, description: string }} names
 * @param {object} [options]
 * @param {boolean} [options.typescript] with a blank in TypeScript
 * @param {'keep' | 'replace'} [options.example] what becomes of an example that was edited
 * @returns {{ texts: Map<string, string>, written: string[], changed: string[],
 *   removed: string[], replaced: string[], left: string[] }} `texts` is what files shall be, but
 *   for package.json and yarn.lock: those of the blank are `written`, the others `changed`;
 *   `replaced` are the edited ones that are written anew or removed, and `left` those that stay
 * @throws {Error} when the example was edited, and nobody said what becomes of it; or when git
 *   could not bring back what is written or removed
 */
export function planProject(names, { typescript = false, example } = {}) {
  const sources = sourcesInTypeScript();
  const own = (file, text) => {
    const named = withoutLines(file, withNames(file, text, names));
    return typescript ? withSources(file, named, sources) : named;
  };
  const blank = readBlank(typescript ? 'typescript' : 'javascript');
  const files = statesOf(blank).filter(
    ({ file }) => typescript || blank.has(file) || !sources.has(file),
  );
  const touched = files.filter(
    ({ file, state }) => EXAMPLE.test(file) && /edited|deleted/.test(state),
  );
  if (touched.length > 0 && !example) throw exampleHasChanged(touched);

  const stays = ({ file, state }) =>
    EXAMPLE.test(file) ? example === 'keep' : state === 'edited';
  const edited = (isLeft) =>
    files
      .filter((it) => it.state === 'edited' && stays(it) === isLeft)
      .map(({ file }) => file);
  const going = files.filter((it) => !stays(it)).map(({ file }) => file);
  const texts = new Map();
  for (const file of going.filter((it) => blank.has(it))) {
    const text = blank.get(file);
    texts.set(file, own(file, withInitial(file, text, names.name)));
  }
  for (const file of trackedFiles().filter((it) => !going.includes(it))) {
    const text = readText(file);
    const write = file === 'pyproject.toml' ? withProject : own;
    const after = text && write(file, text, names);
    if (after !== text) texts.set(file, after);
  }
  const named = [...texts.keys()];
  const removed = going.filter((it) => !texts.has(it) && stats(it));
  assertGitHasAll([...named, ...removed, 'package.json', 'yarn.lock']);
  return {
    texts,
    written: named.filter((it) => going.includes(it)),
    changed: named.filter((it) => !going.includes(it)),
    removed,
    replaced: edited(false),
    left: edited(true),
  };
}

/** List what the starter shipped to be removed or replaced, and what takes its place. */
function statesOf(blank) {
  const shipped = JSON.parse(
    fs.readFileSync(path.join(BLANK, 'shipped.json'), 'utf8'),
  );
  const files = new Set([...Object.keys(shipped), ...blank.keys()]);
  return [...files].map((file) => ({ file, state: stateOf(file, shipped) }));
}

function stateOf(file, shipped) {
  if (!stats(file)) return shipped[file] ? 'deleted' : 'new';
  const content = read(file);
  return content && hashOf(content) === shipped[file] ? 'as shipped' : 'edited';
}

/**
 * Tell the contents of files apart.
 *
 * @param {Buffer} content
 * @returns {string}
 */
export function hashOf(content) {
  return crypto.createHash('sha256').update(content).digest('hex');
}

function exampleHasChanged(files) {
  const list = files.map(({ file, state }) => `  ${file} (${state})`);
  return problem(
    `The example is no longer as it came:\n${list.join('\n')}\n` +
      'Add one of these to the command:\n' +
      '  --keep-example   your page, API and tests stay as they are, but for the name\n' +
      '  --replace-edits  the blank takes their place; git keeps yours',
  );
}

/** What a link leads to, and what is ignored, git cannot take back. */
function assertGitHasAll(files) {
  const tracked = new Set(askGit(['ls-files', '-z']).split('\0'));
  const list = files.flatMap((file) => {
    const parts = file.split('/');
    const paths = parts.map((_, i) => parts.slice(0, i + 1).join('/'));
    const link = paths.find((it) => stats(it)?.isSymbolicLink());
    if (link) return `  ${file} (${link === file ? '' : `${link} is `}a link)`;
    return stats(file) && !tracked.has(file) ? `  ${file} (not in git)` : [];
  });
  if (list.length === 0) return;
  throw problem(
    `These would be written or removed, and git could not bring them back:\n${list.join('\n')}\n` +
      'Nothing was changed. Put the files themselves in the place of links, and move elsewhere ' +
      'what git does not have, or add it: git add --force. Then commit, and run this again.',
  );
}

function readBlank(language) {
  const texts = new Map();
  for (const part of ['common', language]) {
    const folder = path.join(BLANK, part);
    for (const file of filesIn(folder)) {
      texts.set(file, fs.readFileSync(path.join(folder, file), 'utf8'));
    }
  }
  return texts;
}

function filesIn(folder) {
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => path.join(parentPath, name))
    .map((file) => path.relative(folder, file).replaceAll('\\', '/'));
}

/** List the files of src/ that the blank has in TypeScript, by their name in JavaScript. */
function sourcesInTypeScript() {
  const files = filesIn(path.join(BLANK, 'typescript')).filter((file) =>
    /^src\/.*(?<!\.d)\.tsx?$/.test(file),
  );
  return new Map(files.map((file) => [file.replace(/\.tsx?$/, '.js'), file]));
}

function withSources(file, text, sources) {
  if (file === OF_OTHERS) return text;
  return text.replace(/\bsrc\/[\w.]+\.js\b/g, (it) => sources.get(it) ?? it);
}

function withInitial(file, text, name) {
  if (file !== 'public/favicon.svg') return text;
  const [letter] = /[\p{L}\p{N}]/u.exec(name);
  const [initial] = letter.toUpperCase();
  return text.replace('>R<', `>${initial}<`);
}

function withoutLines(file, text) {
  const lines = text.split(/(?<=\n)/);
  return lines.filter((line) => !LINES[file]?.test(line)).join('');
}

function withProject(_file, text, { slug, description }) {
  const lines = [`name = "${slug}"`];
  if (!/^description\s*=/m.test(text)) {
    // What JSON escapes, TOML does in the same way.
    lines.push(`description = ${JSON.stringify(description)}`);
  }
  return text.replace(/^name\s*=.*$/m, () => lines.join('\n'));
}

/** List the files that git knows, but for those that an installation writes, and the kit. */
function trackedFiles() {
  const besides = ['kit', 'package.json', 'yarn.lock'].map((it) => `:!${it}`);
  const files = askGit(['ls-files', '-z', '--', '.', ...besides]);
  return files.split('\0').filter(Boolean);
}

function readText(file) {
  const content = read(file);
  if (!content || !isUtf8(content) || content.includes(0)) return undefined;
  return content.toString('utf8');
}

/** What is in a file of the project; undefined for what is none, such as a link. */
function read(file) {
  return stats(file)?.isFile()
    ? fs.readFileSync(path.join(ROOT, file))
    : undefined;
}

function stats(file) {
  return fs.lstatSync(path.join(ROOT, file), { throwIfNoEntry: false });
}

/**
 * Add to a package.json what TypeScript needs.
 *
 * @param {object} all
 * @returns {object}
 */
export function withTypeScript(all) {
  const packages = Object.entries({ ...all.devDependencies, ...TYPES });
  return { ...all, devDependencies: Object.fromEntries(packages.sort()) };
}

/**
 * Make a package.json the project's own.
 *
 * @param {object} all
 * @param {{ slug: string, description: string }} names
 * @returns {object}
 */
export function ownPackage(all, { slug, description }) {
  const own = Object.entries(all.scripts).filter(
    ([, command]) => !OF_THE_STARTER.test(command),
  );
  const { name: _name, version, ...rest } = all;
  return {
    // In this order: it is what a person reads first.
    ...{ name: slug, version, description },
    ...{ ...rest, description, scripts: Object.fromEntries(own) },
  };
}
