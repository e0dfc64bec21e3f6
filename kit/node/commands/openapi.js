import { apiCommand, apiEnv, prepareApi } from '../lib/api.js';
import { run } from '../lib/processes.js';
import { problem } from '../lib/project.js';

/**
 * Write the description of the API, in OpenAPI 3.1.
 *
 * @param {...string} args the file; without one it is printed
 * @returns {Promise<number>} the exit code
 */
export async function openapi(...args) {
  if (args.length > 1 || args[0]?.startsWith('-')) {
    throw problem(
      `npm run kit -- openapi takes one file, but was given: ${args.join(' ')}\n` +
        'For example: npm run kit -- openapi openapi.json',
    );
  }
  await prepareApi();
  const command = ['react_flask_kit.describing', 'openapi', ...args];
  return run(apiCommand(command), { env: apiEnv() });
}
