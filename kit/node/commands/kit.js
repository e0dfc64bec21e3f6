import { problem } from '../lib/project.js';
import { adopt } from './adopt.js';
import { doctor } from './doctor.js';
import { finishUpdate } from './finish-update.js';
import { makeItYours } from './make-it-yours.js';
import { openapi } from './openapi.js';
import { types } from './types.js';
import { update } from './update.js';
import { upgrade } from './upgrade.js';

const SUBCOMMANDS = {
  adopt,
  doctor,
  openapi,
  types,
  update,
  upgrade,
  'make-it-yours': makeItYours,
};
// What the launcher of an older kit calls, and no person.
const OF_LAUNCHERS = { 'finish-update': finishUpdate };

/**
 * Run what is done to a project as a whole, once in a while.
 *
 * @param {string} [name] such as 'adopt'
 * @param {...string} args of that
 * @returns {Promise<number>} the exit code
 */
export async function kit(name, ...args) {
  const commands = { ...SUBCOMMANDS, ...OF_LAUNCHERS };
  if (name === undefined || !Object.hasOwn(commands, name)) {
    throw problem(
      `There is no command kit ${JSON.stringify(name ?? '')}. The commands are: ` +
        `${Object.keys(SUBCOMMANDS).join(', ')}.\n` +
        'For example: npm run kit -- adopt ../old-project',
    );
  }
  return commands[name](...args);
}
