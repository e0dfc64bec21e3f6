/** Add packages to the API; without a name, bring the requirements in step with pyproject.toml. */
import fs from 'node:fs';
import path from 'node:path';
import { apiCommand, OLDEST_PYTHON, prepareApi } from './lib/api.mjs';
import { run } from './lib/processes.mjs';
import { main, problem, ROOT, readProjectFile } from './lib/project.mjs';

const FILES = [
  'pyproject.toml',
  'api/requirements.txt',
  'api/requirements-dev.txt',
];

await main(async () => {
  const packages = process.argv.slice(2);
  await prepareApi({ dev: true });
  takeBackUnlessDone();
  if (packages.length > 0) await uv('add', '--frozen', ...packages);
  await compile('api/requirements.txt');
  await compile(
    'api/requirements-dev.txt',
    '--group=dev',
    '--constraints=api/requirements.txt',
  );
  await prepareApi({ dev: true });
});

/** Restore the files when this process fails or is stopped, also by Ctrl-C. */
function takeBackUnlessDone() {
  const before = FILES.map((file) => readProjectFile(file));
  process.on('exit', (code) => {
    if (code === 0) return;
    FILES.forEach((file, i) => {
      if (before[i] !== undefined) {
        fs.writeFileSync(path.join(ROOT, file), before[i]);
      }
    });
  });
}

/** Pin what pyproject.toml lists, for every system and every Python that it allows. */
function compile(file, ...options) {
  return uv(
    'pip',
    'compile',
    'pyproject.toml',
    '--universal',
    `--python-version=${OLDEST_PYTHON}`,
    '--generate-hashes',
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
