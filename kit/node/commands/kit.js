import { problem } from '../lib/project.js';
import { adopt } from './adopt.js';
import { openapi } from './openapi.js';
import { types } from './types.js';

const SUBCOMMANDS = { adopt, openapi, types };

/**
 * Run what is done to a project as a whole, once in a while.
 *
 * @param {string} [name] such as 'adopt'
 * @param {...string} args of that
 * @returns {Promise<number>} the exit code
 */
export async function kit(name, ...args) {
  if (name === undefined || !Object.hasOwn(SUBCOMMANDS, name)) {
    throw problem(
      `There is no command kit ${JSON.stringify(name ?? '')}. The commands are: ` +
        `${Object.keys(SUBCOMMANDS).join(', ')}.\n` +
        'For example: npm run kit -- adopt ../old-project',
    );
  }
  return SUBCOMMANDS[name](...args);
}
