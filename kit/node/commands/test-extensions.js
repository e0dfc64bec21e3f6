import path from 'node:path';
import { localKit, prepareApi, venvPython } from '../lib/api.js';
import { run } from '../lib/processes.js';
import { ROOT } from '../lib/project.js';

const FOLDER = path.join('kit', 'extensions');
const VENV = path.join(ROOT, FOLDER, 'venv');

/**
 * Test the kit with real extensions of Flask and Flask's own tests, in a venv of their own.
 *
 * @param {...string} args for pytest
 * @returns {Promise<number>} the exit code of what failed first, or of pytest
 */
export async function testExtensions(...args) {
  await prepareApi();
  const list = path.join(FOLDER, 'requirements.txt');
  const python = venvPython(VENV);
  const pip = [python, '-m', 'pip', 'install', '--quiet'];
  const kit = ['--no-deps', '--no-build-isolation', '--no-index'];
  const commands = [
    [venvPython(), '-m', 'venv', VENV],
    [...pip, '--require-hashes', '-r', list],
    [...pip, ...kit, '--editable', `./${localKit()}`],
    [python, '-m', 'pytest', FOLDER, ...args],
  ];
  for (const command of commands) {
    const code = await run(command, { env: { SDIST_OF_FLASK: 'download' } });
    if (code !== 0) return code;
  }
  return 0;
}
