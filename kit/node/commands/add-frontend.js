import { installFrontend } from '../lib/frontend.js';
import { refuseUpgrades } from '../lib/upgrades.js';

/**
 * Add packages to the frontend; without a name, bring yarn.lock in step with package.json.
 *
 * @param {...string} packages such as 'react-router' or 'sass@1'
 * @returns {Promise<number>} the exit code of yarn
 */
export function addFrontend(...packages) {
  refuseUpgrades(packages);
  if (packages.length > 0) {
    console.log(`Adding to package.json: ${packages.join(' ')} …`);
    return installFrontend(['add', ...packages]);
  }
  console.log('Writing yarn.lock as package.json wants it …');
  return installFrontend(['install', '--no-immutable']);
}
