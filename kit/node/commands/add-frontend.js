import { installFrontend } from '../lib/frontend.js';

/**
 * Add packages to the frontend; without a name, bring yarn.lock in step with package.json.
 *
 * @param {...string} packages such as 'react-router' or 'sass@1'
 * @returns {Promise<number>} the exit code of yarn
 */
export function addFrontend(...packages) {
  return installFrontend(
    packages.length > 0 ? ['add', ...packages] : ['install', '--no-immutable'],
  );
}
