import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {
  apiCommand,
  localKit,
  oldestPython,
  prepareApi,
  REQUIREMENTS,
} from '../lib/api.js';
import { alone } from '../lib/lock.js';
import { run } from '../lib/processes.js';
import { problem, ROOT, readPackage, readProjectFile } from '../lib/project.js';

/**
 * Add packages to the API; without a name, bring the requirements in step with pyproject.toml.
 *
 * @param {...string} packages as pip writes them, such as 'flask-sqlalchemy>=3.1'
 */
export function addApi(...packages) {
  return alone('add-api', () => add(packages));
}

async function add(packages) {
  await prepareApi({ dev: true });
  takeBackUnlessDone();
  if (packages.length > 0) {
    console.log(`Adding to pyproject.toml: ${packages.join(' ')} …`);
    await uv('add', '--frozen', ...packages);
  }
  await pin();
  await prepareApi({ dev: true });
}

/** Restore the files when this process fails or is stopped, also by Ctrl-C. */
function takeBackUnlessDone() {
  const files = ['pyproject.toml', ...Object.values(REQUIREMENTS)];
  const before = files.map((file) => readProjectFile(file));
  process.on('exit', (code) => {
    if (code === 0) return;
    files.forEach((file, i) => {
      if (before[i] !== undefined) replace(file, before[i]);
    });
  });
}

/** Write all lists at once, and no other: a running `npm run dev` installs what has changed. */
async function pin() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'react-flask-kit-'));
  process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
  const lists = {};
  for (const [name, file] of Object.entries(REQUIREMENTS)) {
    lists[name] = path.join(folder, `${name}.txt`);
    fs.writeFileSync(lists[name], readProjectFile(file) ?? '');
  }
  const kit = localKit();
  // A folder has no hash, so it is left out; what builds it is not.
  const withoutKit = kit ? ['--no-emit-package=react-flask-kit'] : [];
  const builder = kit ? [`--group=${kit}/pyproject.toml:build`] : [];
  const options = {
    app: ['pyproject.toml', ...withoutKit, ...builder],
    dev: [
      'pyproject.toml',
      '--group=dev',
      `--constraints=${lists.app}`,
      ...withoutKit,
    ],
    ...(readPackage().scripts?.['test-kit'] && {
      kit: [`--group=${kit}/pyproject.toml:test`, `--constraints=${lists.dev}`],
    }),
  };
  for (const name of Object.keys(options)) {
    console.log(`Pinning in ${REQUIREMENTS[name]} …`);
    await compile(lists[name], ...options[name]);
  }
  for (const name of Object.keys(options)) {
    replace(REQUIREMENTS[name], fs.readFileSync(lists[name], 'utf8'));
  }
}

function replace(file, text) {
  if (readProjectFile(file) !== text) {
    fs.writeFileSync(path.join(ROOT, file), text);
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

/** Its progress is what it writes to stderr; stdout would be the whole list. */
async function uv(...args) {
  const quiet = process.stderr.isTTY ? [] : ['--quiet'];
  const command = ['uv', '--no-python-downloads', ...quiet, ...args];
  if ((await run(apiCommand(command), { silent: true })) !== 0) {
    throw problem(
      'Nothing was changed; the reason is above. Is the name right, and does it run on ' +
        'the oldest Python in pyproject.toml?',
    );
  }
}
