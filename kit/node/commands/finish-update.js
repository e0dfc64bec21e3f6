import path from 'node:path';
import { installFrontend } from '../lib/frontend.js';
import { treeOf } from '../lib/git.js';
import { unfinishedUpdate } from '../lib/kit-swap.js';
import { alone } from '../lib/lock.js';
import { run } from '../lib/processes.js';
import { problem, readProjectFile } from '../lib/project.js';
import { changesOfOwnFiles, changesOfReleases } from '../lib/release-notes.js';
import { withoutPassword } from '../lib/releases.js';
import { writeStarter } from '../lib/starter.js';
import { addApi } from './add-api.js';

/** The exit code that says so, to the launcher of the older kit. */
export const TESTS_FAILED = 3;

/**
 * Do, in the launcher of the new kit, what an update has to do once kit/ is replaced.
 *
 * The launcher of an older kit calls it: `kit finish-update [--keep]` is to stay.
 *
 * @param {string} [keep] '--keep', where failing tests are no reason to take the update back
 * @returns {Promise<number>} the exit code; the older launcher takes back what failed
 */
export function finishUpdate(keep) {
  return alone('finish-update', () => finish(keep));
}

async function finish(keep) {
  const update = unfinishedUpdate();
  if (!update) {
    throw problem('This is a part of: npm run kit -- update');
  }
  const { from, to, repository } = update;
  const kit = treeOf('kit');
  console.log(`kit/ is now that of ${to}, in place of ${from}.`);
  // Not prepareFrontend(): the lockfile does not know yet what the new kit needs.
  if ((await installFrontend(['install', '--no-immutable'])) !== 0) return 1;
  await addApi();
  writeStarter({
    version: to,
    kit,
    ...(repository && { repository: withoutPassword(repository) }),
  });
  console.log("\nThe project's tests, with the new kit:");
  const tests = await run([process.execPath, path.join('kit', 'node'), 'test']);
  const changelog = readProjectFile('kit', 'CHANGELOG.md') ?? '';
  console.log(changesOfReleases(changelog, from, to));
  console.log(notesOnOwnFiles(update));
  if (tests !== 0) {
    console.log(`Tests of the project fail with the kit of ${to}: see above.`);
    if (!keep) return TESTS_FAILED;
  }
  console.log(
    'Next: look at the change (git diff), do what is said above, and commit.\n' +
      'To put it aside again: git stash --include-untracked',
  );
  return 0;
}

/** What is only to be read is no reason to take all back. */
function notesOnOwnFiles(update) {
  try {
    return changesOfOwnFiles(update);
  } catch (error) {
    return `What the starter has changed of your own files cannot be told: ${error.message}`;
  }
}
