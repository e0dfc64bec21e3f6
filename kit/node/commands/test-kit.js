import { apiCommand, apiEnv, prepareApi } from '../lib/api.js';
import { frontendCommand, prepareFrontend } from '../lib/frontend.js';
import { run } from '../lib/processes.js';

/**
 * Test the kit itself, style included; in a fork this is nobody's work.
 *
 * @param {...string} args for pytest, which alone runs if there are any
 * @returns {Promise<number>} the exit code of the worst
 */
export async function testKit(...args) {
  await prepareFrontend();
  await prepareApi({ dev: true, kit: true });
  const node = (cwd, ...command) => run(frontendCommand(command), { cwd });
  const python = (...command) =>
    run(apiCommand(command), { cwd: 'kit', env: apiEnv() });
  if (args.length > 0) return python('pytest', ...args);
  return Math.max(
    await node('kit', 'biome', 'ci'),
    await python('ruff', 'check'),
    await python('ruff', 'format', '--check'),
    await node('kit/node', 'vitest', 'run'),
    // Apart, as a browser's tests keep an event loop running that others want to start.
    await python('pytest', 'python/tests'),
    await python('pytest', 'tests'),
    await python('pytest', '../bench'),
  );
}
