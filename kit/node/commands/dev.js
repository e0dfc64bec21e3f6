/** Run the page and the API in one terminal, until one of them or Ctrl-C ends both. */
import { findFreePort } from './lib/ports.mjs';
import { run, stopAll } from './lib/processes.mjs';
import { apiAddress, main, readProjectFile } from './lib/project.mjs';

await main(async () => {
  const { scripts } = JSON.parse(readProjectFile('package.json'));
  const env = { ...(await apiPort()), API_IS_STARTING: '1' };
  const page = run(nodeCommand(scripts.start), { env, label: 'page │' });
  const api = run(nodeCommand(scripts['start-api']), { env, label: 'api  │' });
  const { name, code } = await Promise.race([
    page.then((code) => ({ name: 'page', code })),
    api.then((code) => ({ name: 'API', code })),
  ]);
  console.error(
    `\nThe ${name}'s server ended (exit code ${code}), so both are stopped.`,
  );
  stopAll();
  await Promise.all([page, api]);
  return code;
});

/** Give both servers the same free port for the API, unless the user chose one. */
async function apiPort() {
  if (process.env.FLASK_RUN_PORT) return {};
  const port = Number(apiAddress()?.port || 5000);
  return { FLASK_RUN_PORT: String(await findFreePort(port, '127.0.0.1')) };
}

function nodeCommand(script) {
  return [process.execPath, ...script.split(' ').slice(1)];
}
