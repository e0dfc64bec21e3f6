/** Add packages to the page; without a name, bring yarn.lock in step with package.json. */
import { alone } from './lib/lock.mjs';
import { markAsInstalled, yarn } from './lib/page.mjs';
import { main } from './lib/project.mjs';

await main(async () => {
  const packages = process.argv.slice(2);
  const args =
    packages.length > 0 ? ['add', ...packages] : ['install', '--no-immutable'];
  const code = await alone('page', () => yarn(args));
  if (code === 0) markAsInstalled();
  return code;
});
