import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { apiCommand, localKit, oldestPython, REQUIREMENTS } from './api.js';
import { run } from './processes.js';
import { problem, ROOT, readPackage, readProjectFile } from './project.js';

/**
 * Change files of the project, all or none: they are what they were before if the work fails,
 * or if this process is stopped meanwhile, as by Ctrl-C.
 *
 * @template T
 * @param {string[]} files seen from the project's folder
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function allOrNothing(files, work) {
  const before = files.map((file) => readProjectFile(file));
  const restore = () =>
    files.forEach((file, i) => {
      replace(file, before[i]);
    });
  // Whoever is stopped does not come back from the work.
  process.once('exit', restore);
  try {
    return await work();
  } catch (error) {
    restore();
    throw error;
  } finally {
    process.off('exit', restore);
  }
}

/**
 * Tell which lists are the project's to pin: that of the kit's tests is the starter's alone.
 *
 * @returns {Partial<typeof REQUIREMENTS>}
 */
export function ownRequirements() {
  const { kit, ...own } = REQUIREMENTS;
  return readPackage().scripts?.['test-kit'] ? { ...own, kit } : own;
}

/**
 * Pin in api/requirements*.txt what pyproject.toml asks for. All lists are written at once, and
 * none that stays the same: a running `npm run dev` installs what has changed.
 *
 * @param {string[]} [options] of `uv pip compile`, such as ['--upgrade']; what is pinned already
 *   stays as it is unless they say otherwise
 * @throws {Error} when that is not possible
 */
export async function pinRequirements(options = []) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'react-flask-kit-'));
  process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
  const files = ownRequirements();
  const lists = {};
  for (const [name, file] of Object.entries(files)) {
    lists[name] = path.join(folder, `${name}.txt`);
    fs.writeFileSync(lists[name], readProjectFile(file) ?? '');
  }
  const kit = localKit();
  // A folder has no hash, so it is left out; what builds it is not.
  const withoutKit = kit ? ['--no-emit-package=react-flask-kit'] : [];
  const builder = kit ? [`--group=${kit}/pyproject.toml:build`] : [];
  const asked = {
    app: ['pyproject.toml', ...withoutKit, ...builder],
    dev: [
      'pyproject.toml',
      '--group=dev',
      `--constraints=${lists.app}`,
      ...withoutKit,
    ],
    kit: [`--group=${kit}/pyproject.toml:test`, `--constraints=${lists.dev}`],
  };
  for (const name of Object.keys(files)) {
    console.log(`Pinning in ${files[name]} …`);
    await compile(lists[name], ...asked[name], ...options);
  }
  for (const name of Object.keys(files)) {
    replace(files[name], fs.readFileSync(lists[name], 'utf8'));
  }
}

/** Pin what a list asks for, for every system and every Python that the project allows. */
function compile(file, ...options) {
  return uv(
    'pip',
    'compile',
    '--universal',
    `--python-version=${oldestPython()}`,
    '--generate-hashes',
    '--no-annotate',
    '--no-header',
    `--output-file=${file}`,
    ...options,
  );
}

/**
 * Run uv. Its progress is what it writes to stderr; stdout would be the whole list.
 *
 * @param {...string} args
 * @throws {Error} when it fails; it has said why
 */
export async function uv(...args) {
  const quiet = process.stderr.isTTY ? [] : ['--quiet'];
  const command = ['uv', '--no-python-downloads', ...quiet, ...args];
  if ((await run(apiCommand(command), { silent: true })) !== 0) {
    throw problem(
      'Nothing was changed; the reason is above. Is the name right, and does it run on ' +
        'the oldest Python in pyproject.toml?',
    );
  }
}

function replace(file, text) {
  const place = path.join(ROOT, file);
  if (text === undefined) fs.rmSync(place, { force: true });
  else if (readProjectFile(file) !== text) fs.writeFileSync(place, text);
}
