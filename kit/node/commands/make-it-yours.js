import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { assertNpmKeptNo } from '../lib/arguments.js';
import {
  frontendCommand,
  installFrontend,
  prepareFrontend,
  withProjectName,
} from '../lib/frontend.js';
import { askGit, assertAllIsCommitted, treeOf } from '../lib/git.js';
import { readNames, STARTER } from '../lib/make-it-yours-names.js';
import {
  ownPackage,
  planProject,
  withTypeScript,
} from '../lib/make-it-yours-plan.js';
import { run } from '../lib/processes.js';
import {
  problem,
  ROOT,
  readPackage,
  readProjectFile,
  writePackage,
} from '../lib/project.js';
import { pinsIn } from '../lib/python-packages.js';
import { section } from '../lib/report.js';
import { kitVersion, readStarter, writeStarter } from '../lib/starter.js';
import { lockedVersions } from '../lib/yarn-lock.js';

const COMMAND = 'npm run kit -- make-it-yours';
const OPTIONS = {
  description: { type: 'string' },
  slug: { type: 'string' },
  typescript: { type: 'boolean' },
  'keep-example': { type: 'boolean' },
  'replace-edits': { type: 'boolean' },
};
const OF_BIOME = /\.(css|html|[jt]sx?|json)$/;

/**
 * Make a copy of the starter somebody's own project: its names, and a blank in the place of the
 * example. All is left uncommitted, for review.
 *
 * Everything is checked before the first file is written; package.json, by which a second run
 * sees that this is done, is written last.
 *
 * @param {...string} args the name, and options
 * @returns {Promise<number>} the exit code
 */
export async function makeItYours(...args) {
  const { name, example, ...options } = readArguments(args);
  const { name: current } = readPackage();
  if (current !== STARTER.slug && readStarter().kit) {
    console.log(
      `This is done: the project is called ${current} (package.json). Nothing was changed.\n` +
        'To give it another name, search for this one.',
    );
    return 0;
  }
  if (name === undefined) {
    throw problem(`Give the project a name: ${COMMAND} "Book Shelf"`);
  }
  const { slug, description, typescript } = options;
  const packages = usedPackages();
  const names = readNames(name, { slug, description, packages });
  assertAllIsCommitted();
  const plan = planProject(names, { typescript, example });
  await (typescript ? installTypeScript() : prepareFrontend());
  const formatter = frontendCommand(['biome', 'format', '--write']);

  for (const file of plan.removed) remove(file);
  for (const [file, text] of plan.texts) write(file, text);
  const lockfile = readProjectFile('yarn.lock') ?? '';
  write('yarn.lock', withProjectName(lockfile, names.slug));
  writePackage(ownPackage(readPackage(), names));
  await format([...plan.texts.keys()], formatter);
  // An update has written it already, and knows which kit was released.
  if (!readStarter().kit) {
    const version = kitVersion();
    writeStarter({ version, kit: releasedKit(version) });
  }
  console.log(report(names, plan));
  return 0;
}

/** The tag tells it also where kit/ was edited and committed since. */
function releasedKit(version) {
  const tree = `refs/tags/v${version}:./kit`;
  return askGit(['rev-parse', '--verify', '--quiet', tree]) ?? treeOf('kit');
}

function readArguments(args) {
  assertNpmKeptNo('make-it-yours', Object.keys(OPTIONS), args);
  let read;
  try {
    read = parseArgs({ args, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw problem(
      `${COMMAND}: ${error.message}\nIts options are: --${Object.keys(OPTIONS).join(', --')}`,
    );
  }
  const { positionals, values } = read;
  if (positionals.length > 1) {
    throw problem(
      `Give one name, in quotes if it has spaces: ${COMMAND} "${positionals.join(' ')}"`,
    );
  }
  const {
    'keep-example': keeps,
    'replace-edits': replaces,
    ...options
  } = values;
  if (keeps && (replaces || options.typescript)) {
    throw problem(
      'With --keep-example there is no blank: leave out --replace-edits and --typescript.',
    );
  }
  const [name] = positionals;
  const example = keeps ? 'keep' : replaces ? 'replace' : undefined;
  return { ...options, name, example };
}

/** A project that is called as a package which it needs would be taken for that. */
function usedPackages() {
  const requirements = ['api/requirements.txt', 'api/requirements-dev.txt'];
  return new Set([
    'react-flask-kit',
    ...lockedVersions(readProjectFile('yarn.lock') ?? '').keys(),
    ...requirements.flatMap((file) =>
      pinsIn(readProjectFile(file) ?? '').map(({ name }) => name),
    ),
  ]);
}

/** Whatever fails here leaves the project as it was. */
async function installTypeScript() {
  const before = ['package.json', 'yarn.lock'].map((file) => [
    file,
    readProjectFile(file),
  ]);
  writePackage(withTypeScript(readPackage()));
  if ((await installFrontend(['install', '--no-immutable'])) === 0) return;
  for (const [file, text] of before) write(file, text);
  throw problem(
    'TypeScript could not be installed; the reason is above. Nothing was changed.\n' +
      'Without a network nothing can be downloaded. Behind a proxy, set HTTPS_PROXY.',
  );
}

/** A long name may break a line, or a short one join two. */
async function format(files, formatter) {
  const ours = files.filter((file) => OF_BIOME.test(file));
  // Told no file, Biome would format all there are.
  if (ours.length > 0) await run([...formatter, ...ours], { silent: true });
}

function write(file, text) {
  const place = path.join(ROOT, file);
  fs.mkdirSync(path.dirname(place), { recursive: true });
  fs.writeFileSync(place, text);
}

/** Remove a file, and its folder if nothing else is in there. */
function remove(file) {
  fs.rmSync(path.join(ROOT, file));
  for (
    let folder = path.dirname(file);
    folder !== '.' && fs.readdirSync(path.join(ROOT, folder)).length === 0;
    folder = path.dirname(folder)
  ) {
    fs.rmdirSync(path.join(ROOT, folder));
  }
}

function report({ name, slug, description }, plan) {
  return [
    `\n"${name}", and ${slug} where a name is short. ${description}\n`,
    section('Removed', byFolder(plan.removed)),
    section('A blank to write on', plan.written),
    section('Changed', [
      ...byFolder(plan.changed),
      'package.json',
      'yarn.lock',
    ]),
    section('Edited since it came, and replaced; git has it', plan.replaced),
    section('Edited since it came, and left as it is', plan.left),
    section('Next', [
      'npm run dev',
      'git diff',
      'git add --all',
      `git commit -m "Make it ${slug}"`,
    ]),
    section(
      'In the guides of docs/',
      plan.written.includes('tsconfig.json')
        ? [
            'Examples of the frontend are JavaScript: save them as .js, or add types.',
          ]
        : [],
    ),
    section('To take all of it back', ['git stash --include-untracked']),
  ].join('');
}

/** Name the folder in the place of many files. */
function byFolder(files) {
  const folders = new Map();
  for (const file of files) {
    const [top] = file.split('/');
    folders.set(top, [...(folders.get(top) ?? []), file]);
  }
  return [...folders].flatMap(([top, inside]) =>
    inside.length > 3 ? [`${top}/ (${inside.length} files)`] : inside,
  );
}
