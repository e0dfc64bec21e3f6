import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline/promises';
import { localKit, prepareApi } from '../lib/api.js';
import { assertNpmKeptNo } from '../lib/arguments.js';
import { prepareFrontend } from '../lib/frontend.js';
import { assertAllIsCommitted } from '../lib/git.js';
import {
  editedKitFiles,
  kitAsReleased,
  saveKitEdits,
} from '../lib/kit-edits.js';
import {
  assertKitCanBeReplaced,
  forgetSwap,
  isSameKit,
  swapKit,
  takeBackSwap,
  unfinishedUpdate,
} from '../lib/kit-swap.js';
import { alone } from '../lib/lock.js';
import { run } from '../lib/processes.js';
import { problem } from '../lib/project.js';
import {
  fetchRelease,
  hasKit,
  isVersion,
  releaseInFolder,
} from '../lib/releases.js';
import { kitVersion, readStarter } from '../lib/starter.js';
import { compareReleases } from '../lib/versions.js';
import { TESTS_FAILED } from './finish-update.js';

const COMMAND = 'npm run kit -- update';
const LAUNCHER = [process.execPath, path.join('kit', 'node')];
const KEEP = '--keep';
const REPLACE_EDITS = '--replace-edits';
const PATCHES = 'kit-edits-*.patch';
const IN_THE_STASH =
  'What it had done is in git\'s stash: "git stash pop" brings it back, "git stash drop" forgets it.';

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
    unfinishedUpdate() ? finishInterrupted() : bring(source, options),
  );
  // Not by what is loaded here, which may be of the kit that was put aside.
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
  assertNpmKeptNo('update', ['keep', 'replace-edits'], args);
  return { source, options };
}

async function finishInterrupted() {
  const { to } = unfinishedUpdate();
  // What has outlived the command that was killed may still write.
  const isTakenBack = await alone('finish-update', takeBackSwap);
  console.log(
    isTakenBack
      ? `An update to ${to} was interrupted; the state before it is restored. ${IN_THE_STASH}`
      : `An update to ${to} was interrupted; since then kit/ was committed or restored, so that all stays as it is.`,
  );
}

async function bring(source, options) {
  if (localKit() !== 'kit/python') {
    throw problem(
      'react-flask-kit is no folder of this project. Bring newer packages by: npm run kit -- upgrade react-flask-kit',
    );
  }
  assertAllIsCommitted([PATCHES]);
  const place = fs.mkdtempSync(path.join(os.tmpdir(), 'react-flask-kit-'));
  process.on('exit', () => fs.rmSync(place, { recursive: true, force: true }));
  const { repository, ...release } = await findRelease(source, place);
  const { version: to, folder, history } = release;
  const from = kitVersion();
  const kit = path.join(folder, 'kit');
  const order = compareReleases(to, from);
  if (order < 0) {
    throw problem(
      `${to} is older than ${from}, which this project has. ` +
        'To go back to it, revert the commit of the update.',
    );
  }
  const trees = kitAsReleased(history);
  const isNewer = repository ? order > 0 : !isSameKit(kit);
  if (!isNewer && !options.includes(REPLACE_EDITS)) {
    console.log(`There is nothing newer: kit/ is that of ${from}.`);
    return 0;
  }
  saveEdits(trees, options);
  assertKitCanBeReplaced(kit);
  return replaceKit(kit, { from, to, folder, history, repository }, options);
}

/** A folder is nothing to remember: it is of one machine. */
async function findRelease(source, into) {
  const before = kitVersion();
  if (source && hasKit(source))
    return releaseInFolder(source, { before, into });
  if (source && /^v?\d+(\.|$)/.test(source) && !isVersion(source)) {
    throw problem(`${source} is no release. Write all of it: v1.2.3`);
  }
  const isAddress = source && !isVersion(source);
  const repository = isAddress
    ? source
    : readStarter().repository || (await askForRepository());
  const version = isAddress ? undefined : source?.replace(/^v/, '');
  console.log("Asking the starter's repository for its releases …");
  const release = fetchRelease(repository, { version, before, into });
  return { ...release, repository };
}

async function askForRepository() {
  const { stdin: input, stdout: output } = process;
  if (input.isTTY) {
    const terminal = readline.createInterface({ input, output });
    const closed = new Promise((resolve) => terminal.once('close', resolve));
    const question = terminal.question(
      "The address of the starter's repository, which package.json will remember: ",
    );
    const answer = await Promise.race([question, closed]);
    terminal.close();
    if (answer?.trim()) return answer.trim();
  }
  throw problem(
    "Where newer releases come from is not known yet. Name the address of the starter's " +
      `repository once, which package.json remembers: ${COMMAND} ADDRESS\n` +
      `A folder with the starter's files will do too: ${COMMAND} ../starter`,
  );
}

/** Nobody's work is replaced silently; git has all of it, as it is committed. */
function saveEdits(trees, options) {
  const edited = trees ? editedKitFiles(trees) : [];
  if (trees && edited.length === 0) return;
  const list = edited.map((file) => `  ${file}\n`).join('');
  const mayReplace = options.includes(REPLACE_EDITS);
  if (!mayReplace) {
    throw problem(
      trees
        ? `These files of kit/ were edited here:\n${list}An update replaces kit/ as a whole. ` +
            `To let it, and to save the edits as a patch: ${COMMAND} … ${REPLACE_EDITS}`
        : 'Whether files of kit/ were edited here cannot be told, as its release is nowhere to be found.\n' +
            `If none was, or if it is enough that git has them: ${COMMAND} … ${REPLACE_EDITS}`,
    );
  }
  if (!trees) return;
  const patch = saveKitEdits(trees);
  console.log(
    `These files of kit/ were edited here:\n${list}They are saved in ${patch}; ` +
      `to have them in the new kit too: git apply --3way ${patch}`,
  );
}

async function replaceKit(kit, journal, options) {
  process.on('exit', takeBackAtTheEnd);
  swapKit(kit, journal);
  const keep = options.filter((option) => option === KEEP);
  const code = await run([...LAUNCHER, 'kit', 'finish-update', ...keep]);
  if (code === 0) {
    forgetSwap();
    return 0;
  }
  process.off('exit', takeBackAtTheEnd);
  takeBackSwap();
  console.error(
    `\nThe update to ${journal.to} did not succeed, as is said above, so the state before it is restored.\n` +
      IN_THE_STASH,
  );
  if (code === TESTS_FAILED) {
    console.error(
      `To keep the new kit in spite of tests that fail, and to mend your code: ${COMMAND} … ${KEEP}`,
    );
  }
  await prepareFrontend();
  await prepareApi({ dev: true });
  return 1;
}

/** Whoever stops the command finds the project as it was. */
function takeBackAtTheEnd() {
  if (!unfinishedUpdate()) return;
  try {
    takeBackSwap();
    console.error(
      `The update was stopped; the state before it is restored, and the next command installs its packages.\n${IN_THE_STASH}`,
    );
  } catch (error) {
    console.error(error.message);
  }
}
