import fs from 'node:fs';
import path from 'node:path';
import {
  assertNothingIsLost,
  OldProject,
  printable,
  writePlan,
} from '../lib/adopt-files.js';
import { missingPeers, planAdoption } from '../lib/adopt-plan.js';
import { installFrontend, prepareFrontend } from '../lib/frontend.js';
import { problem, ROOT, readPackage, writePackage } from '../lib/project.js';
import { section } from '../lib/report.js';

/**
 * Put the frontend of a create-react-app project in the place of the example.
 *
 * The old project is only read. Everything is checked before the first file is written.
 *
 * @param {string} folder the old project's
 * @param {...string} others refused
 * @returns {Promise<number>} the exit code
 */
export async function adopt(folder, ...others) {
  if (!folder || others.length > 0) {
    throw problem(
      'Name the folder of one create-react-app project: npm run kit -- adopt ../old-project',
    );
  }
  const old = new OldProject(folder);
  const plan = planAdoption(old, await importVite());
  writePlan(plan, assertNothingIsLost(plan.files));
  console.log(report(folder, plan, old.warnings));
  const { code, added } = await install();
  console.log(section('Also installed, as packages ask for it', added));
  if (code === 0) {
    console.log(section('Next', plan.next));
  } else {
    console.error(
      '\nThe packages could not be installed; the reason is above. All else is done, package.json ' +
        'included.\nMend what it says, then run: npm run add-frontend\n',
    );
  }
  return code;
}

/** Install, and then what packages ask for, and what those ask for. */
async function install() {
  const added = [];
  for (;;) {
    const code = await installFrontend(['install', '--no-immutable']);
    const peers = Object.entries(missingPeers());
    if (code !== 0 || peers.every(([name]) => added.includes(name))) {
      return { code, added };
    }
    added.push(...peers.map(([name]) => name));
    const { dependencies, ...rest } = readPackage();
    const all = [...peers, ...Object.entries(dependencies)].sort();
    writePackage({ ...rest, dependencies: Object.fromEntries(all) });
  }
}

/** Vite is there even when yarn.lock is out of step, as an installation that failed leaves it. */
async function importVite() {
  if (!fs.existsSync(path.join(ROOT, 'node_modules/vite/package.json'))) {
    await prepareFrontend();
  }
  return import('vite');
}

function report(folder, { copied, left }, warnings) {
  const places = [...warnings].map(
    ([text, found]) => `${printable(text)}\n    ${printable(found.join(', '))}`,
  );
  return [
    section(`From ${folder}`, copied),
    section('Left behind', left),
    section('Not supported here, or not as it was', places),
  ].join('');
}
