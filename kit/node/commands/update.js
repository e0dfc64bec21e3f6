import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline/promises';
import { localKit, prepareApi } from '../lib/api.js';
import { prepareFrontend } from '../lib/frontend.js';
import { assertAllIsCommitted } from '../lib/git.js';
import {
  editedKitFiles,
  kitAsReleased,
  kitEditsAsPatch,
} from '../lib/kit-edits.js';
import {
  forgetSwap,
  isSameKit,
  swapKit,
  takeBackSwap,
  unfinishedUpdate,
} from '../lib/kit-swap.js';
import { alone } from '../lib/lock.js';
import { run } from '../lib/processes.js';
import { problem, ROOT } from '../lib/project.js';
import {
  fetchRelease,
  hasKit,
  isVersion,
  releaseInFolder,
} from '../lib/releases.js';
import { kitVersion, readStarter } from '../lib/starter.js';
import { compareReleases } from '../lib/versions.js';

const COMMAND = 'npm run kit -- update';
const LAUNCHER = [process.execPath, path.join('kit', 'node')];
const KEEP = '--keep';
const REPLACE_EDITS = '--replace-edits';

/**
 * Replace kit/ by that of another release of the starter, and go on in its launcher.
 *
 * What fails, or is stopped, is taken back; by the next call where there was no time for it.
 *
 * @param {...string} args a version, the address of the starter's repository, or a folder with
 *   the starter's files; `--replace-edits` and `--keep`
 * @returns {Promise<number>} the exit code
 */
export async function update(...args) {
  const { source, options } = readArguments(args);
  const code = await alone('update', () =>
    unfinishedUpdate() ? takeBack() : bring(source, options),
  );
  // Not by what is loaded here, which may be of the kit that was put away.
  return code ?? run([...LAUNCHER, 'kit', 'update', ...args]);
}

function readArguments(args) {
  const options = args.filter((arg) => arg.startsWith('-'));
  const [source, ...others] = args.filter((arg) => !options.includes(arg));
  const unknown = options.filter((arg) => ![KEEP, REPLACE_EDITS].includes(arg));
  if (others.length > 0 || unknown.length > 0) {
    throw problem(
      `${COMMAND} has no use for: ${[...unknown, ...others].join(' ')}\n` +
        'It takes a version, or an address or a folder of the starter, and the options ' +
        `${REPLACE_EDITS} and ${KEEP}.`,
    );
  }
  return { source, options };
}

async function takeBack() {
  const { to } = unfinishedUpdate();
  // What has outlived the command that was killed may still write.
  await alone('finish-update', takeBackSwap);
  console.log(
    `An update to ${to} was interrupted; the state before it is restored.`,
  );
}

async function bring(source, options) {
  if (localKit() !== 'kit/python') {
    throw problem(
      'react-flask-kit is no folder of this project. Bring newer packages by: npm run kit -- upgrade react-flask-kit',
    );
  }
  const patch = `kit-edits-${kitVersion()}.patch`;
  assertAllIsCommitted([patch]);
  const place = fs.mkdtempSync(path.join(os.tmpdir(), 'react-flask-kit-'));
  process.on('exit', () => fs.rmSync(place, { recursive: true, force: true }));
  const { repository, ...release } = await findRelease(source, place);
  const from = kitVersion();
  const order = compareReleases(release.version, from);
  if (order < 0) {
    throw problem(
      `${release.version} is older than ${from}, which this project has. ` +
        'To go back to it, revert the commit of the update.',
    );
  }
  const isSame = repository ? order === 0 : isSameKit(release.folder);
  if (isSame && !options.includes(REPLACE_EDITS)) {
    console.log(`There is nothing newer: kit/ is that of ${from}.`);
    return 0;
  }
  saveEdits(kitAsReleased(release.history), patch, options);
  const { version: to, folder, history } = release;
  const journal = { from, to, folder, history, repository };
  return replaceKit(journal, options.includes(KEEP));
}

/** A folder is nothing to remember: it is of one machine. */
async function findRelease(source, into) {
  if (source && hasKit(source)) return releaseInFolder(source);
  const before = kitVersion();
  if (source && !isVersion(source)) {
    console.log(`Asking ${source} for its releases …`);
    const release = fetchRelease(source, { before, into });
    return { ...release, repository: source };
  }
  const version = source?.replace(/^v/, '');
  const repository = readStarter().repository || (await askForRepository());
  console.log(`Asking ${repository} for its releases …`);
  const release = fetchRelease(repository, { version, before, into });
  return { ...release, repository };
}

async function askForRepository() {
  if (process.stdin.isTTY) {
    const terminal = readline.createInterface(process);
    const answer = await terminal.question(
      "The address of the starter's repository, which package.json will remember: ",
    );
    terminal.close();
    if (answer.trim()) return answer.trim();
  }
  throw problem(
    "Where newer releases come from is not known yet. Name the address of the starter's " +
      `repository once, which package.json remembers: ${COMMAND} ADDRESS\n` +
      `A folder with the starter's files will do too: ${COMMAND} ../starter`,
  );
}

/** Nobody's work is lost: neither silently, nor without a copy beside what git has. */
function saveEdits(trees, patch, options) {
  const mayReplace = options.includes(REPLACE_EDITS);
  const edited = trees ? editedKitFiles(trees) : [];
  if (trees && edited.length === 0) return;
  if (trees) fs.writeFileSync(path.join(ROOT, patch), kitEditsAsPatch(trees));
  const saved = `They are saved in ${patch}; to have them in the new kit too: git apply --3way ${patch}`;
  const found = trees
    ? `These files of kit/ were edited here:\n${edited.map((file) => `  ${file}\n`).join('')}${saved}`
    : 'Whether files of kit/ were edited here cannot be told, as its release is nowhere to be found.';
  if (!mayReplace) {
    throw problem(
      `${found}\nAn update replaces kit/ as a whole. To let it: ${COMMAND} … ${REPLACE_EDITS}`,
    );
  }
  console.log(found);
}

async function replaceKit(journal, mayFail) {
  let isOver = false;
  process.on('exit', () => {
    if (isOver || !unfinishedUpdate()) return;
    takeBackSwap();
    console.error(
      'The update was stopped; the state before it is restored. The next command installs its packages.',
    );
  });
  swapKit(path.join(journal.folder, 'kit'), journal);
  const code = await run([
    ...LAUNCHER,
    'kit',
    'finish-update',
    ...(mayFail ? [KEEP] : []),
  ]);
  if (code === 0) forgetSwap();
  else takeBackSwap();
  isOver = true;
  if (code === 0) return 0;
  console.error(
    `\nThe update to ${journal.to} did not succeed, as is said above, so the state before it is restored.\n` +
      `To keep the new kit in spite of tests that fail, and to mend your code: ${COMMAND} … ${KEEP}`,
  );
  await prepareFrontend();
  await prepareApi({ dev: true });
  return code;
}
