/**
 * Prepare one half of the project and run a command in it:
 *
 *   node scripts/run.mjs page vite build
 *   node scripts/run.mjs api flask routes
 *   node scripts/run.mjs api-dev pytest -k time
 */
import { apiCommand, prepareApi } from './lib/api.mjs';
import { pageCommand, preparePage } from './lib/page.mjs';
import { isPortFree, portIsTaken } from './lib/ports.mjs';
import { run } from './lib/processes.mjs';
import { apiAddress, flaskSetting, main } from './lib/project.mjs';

const [half, ...command] = process.argv.slice(2);

await main(async () => {
  if (half === 'page') {
    await preparePage();
    return run(pageCommand(command), {
      // What Vite wishes for, "type": "module", would change how src/ imports CommonJS packages.
      env: { VITE_CONFIG_NATIVE_IGNORE_WARNING: 'true' },
    });
  }
  await prepareApi({ dev: half === 'api-dev' });
  return run(apiCommand(command), {
    env: command.includes('run') ? await addressForFlask() : {},
  });
});

/** Let Flask listen where the page expects it. */
async function addressForFlask() {
  const port = apiAddress()?.port || '5000';
  const host = flaskSetting('FLASK_RUN_HOST') ?? '127.0.0.1';
  if (!(await isPortFree(Number(port), host))) {
    throw portIsTaken(
      port,
      'set FLASK_RUN_PORT for this and for the page, or change "proxy" in package.json.',
    );
  }
  return { FLASK_RUN_PORT: port, PYTHONUNBUFFERED: '1' };
}
