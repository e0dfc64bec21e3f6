import { prepareApi, REQUIREMENTS } from '../lib/api.js';
import { alone } from '../lib/lock.js';
import { allOrNothing, pinRequirements, uv } from '../lib/pinning.js';
import { refuseUpgrades } from '../lib/upgrades.js';

const FILES = ['pyproject.toml', ...Object.values(REQUIREMENTS)];

/**
 * Add packages to the API; without a name, bring the requirements in step with pyproject.toml.
 *
 * @param {...string} packages as pip writes them, such as 'flask-sqlalchemy>=3.1'
 */
export function addApi(...packages) {
  refuseUpgrades(packages);
  return alone('add-api', () => add(packages));
}

async function add(packages) {
  await prepareApi({ dev: true });
  await allOrNothing(FILES, async () => {
    if (packages.length > 0) {
      console.log(`Adding to pyproject.toml: ${packages.join(' ')} …`);
      await uv('add', '--frozen', ...packages);
    }
    await pinRequirements();
    await prepareApi({ dev: true });
  });
}
