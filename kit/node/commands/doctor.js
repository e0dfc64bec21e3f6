import { refuseArguments } from '../lib/arguments.js';
import { node, ports, python, repository } from '../lib/doctor-machine.js';
import {
  apiPackages,
  frontendPackages,
  lockfiles,
  manifest,
  pins,
  venv,
} from '../lib/doctor-packages.js';
import { wrong } from '../lib/doctor-report.js';
import {
  committedSecrets,
  envFiles,
  settings,
} from '../lib/doctor-settings.js';
import { halves, kitFiles, starter, update } from '../lib/doctor-starter.js';

const CHECKS = {
  'Node.js': node,
  Python: python,
  git: repository,
  'package.json': manifest,
  lockfiles,
  node_modules: frontendPackages,
  'api/venv': venv,
  "the API's packages": apiPackages,
  'api/requirements*.txt': pins,
  'the kit': halves,
  'files of kit/': kitFiles,
  'the update': update,
  'the starter': starter,
  ports,
  'files of settings': envFiles,
  settings,
  secrets: committedSecrets,
};
const WIDTH = 'problem'.length;

/**
 * Look for what keeps the project from working, and change nothing.
 *
 * @param {...string} args none
 * @returns {Promise<number>} 1 where there is a problem
 */
export async function doctor(...args) {
  refuseArguments('kit -- doctor', args);
  // Even to ask a Python for its version may write what it has compiled.
  process.env.PYTHONDONTWRITEBYTECODE = '1';
  const found = await Promise.all(Object.entries(CHECKS).map(look));
  const findings = found
    .flat()
    .filter(
      ({ text }, i, all) => all.findIndex((one) => one.text === text) === i,
    );
  for (const { level, text } of findings) {
    const [first, ...more] = text.trim().split('\n');
    console.log(`${level.padEnd(WIDTH)}  ${first}`);
    for (const line of more) console.log(`${' '.repeat(WIDTH + 2)}${line}`);
  }
  const count = findings.filter(({ level }) => level === 'problem').length;
  console.log(
    count === 0
      ? '\nNo problem was found.'
      : `\n${count} ${count === 1 ? 'problem' : 'problems'}.`,
  );
  return count === 0 ? 0 : 1;
}

/** One that fails does not keep the others from looking. */
async function look([name, check]) {
  try {
    return [await check()].flat();
  } catch (error) {
    const isForUser = error.stack === error.message;
    const what = isForUser ? '' : `${name} could not be checked: `;
    return [wrong(what + error.message)];
  }
}
