import fs from 'node:fs';
import path from 'node:path';
import {
  apiCommand,
  localKit,
  oldestPython,
  prepareApi,
  REQUIREMENTS,
} from '../lib/api.js';
import { run } from '../lib/processes.js';
import { problem, ROOT, readPackage, readProjectFile } from '../lib/project.js';

/**
 * Add packages to the API; without a name, bring the requirements in step with pyproject.toml.
 *
 * @param {...string} packages as pip writes them, such as 'flask-sqlalchemy>=3.1'
 */
export async function addApi(...packages) {
  await prepareApi({ dev: true });
  takeBackUnlessDone();
  if (packages.length > 0) await uv('add', '--frozen', ...packages);
  const kit = localKit();
  // A folder has no hash, so it is left out; what builds it is not.
  const withoutKit = kit ? ['--no-emit-package=react-flask-kit'] : [];
  const builder = kit ? [`--group=${kit}/pyproject.toml:build`] : [];
  await compile(REQUIREMENTS.app, 'pyproject.toml', ...withoutKit, ...builder);
  await compile(
    REQUIREMENTS.dev,
    'pyproject.toml',
    '--group=dev',
    `--constraints=${REQUIREMENTS.app}`,
    ...withoutKit,
  );
  if (readPackage().scripts?.['test-kit']) {
    await compile(
      REQUIREMENTS.kit,
      `--group=${kit}/pyproject.toml:test`,
      `--constraints=${REQUIREMENTS.dev}`,
    );
  }
  await prepareApi({ dev: true });
}

/** Restore the files when this process fails or is stopped, also by Ctrl-C. */
function takeBackUnlessDone() {
  const files = ['pyproject.toml', ...Object.values(REQUIREMENTS)];
  const before = files.map((file) => readProjectFile(file));
  process.on('exit', (code) => {
    if (code === 0) return;
    files.forEach((file, i) => {
      if (before[i] !== undefined) {
        fs.writeFileSync(path.join(ROOT, file), before[i]);
      }
    });
  });
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
    '--quiet',
    `--output-file=${file}`,
    ...options,
  );
}

async function uv(...args) {
  if ((await run(apiCommand(['uv', '--no-python-downloads', ...args]))) !== 0) {
    throw problem(
      'Nothing was changed; the reason is above. Is the name right, and does it run on ' +
        'the oldest Python in pyproject.toml?',
    );
  }
}
