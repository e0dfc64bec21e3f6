/** Run the page and the API in one terminal, until one of them or Ctrl-C ends both. */
import { findFreePort } from './lib/ports.mjs';
import { run, stopAll } from './lib/processes.mjs';
import { apiAddress, main, readProjectFile } from './lib/project.mjs';

await main(async () => {
  const { scripts } = JSON.parse(readProjectFile('package.json'));
  const env = { ...(await apiPort()), API_IS_STARTING: '1' };
  const servers = [
    run(nodeCommand(scripts.start), { env, label: 'page │' }),
    run(nodeCommand(scripts['start-api']), { env, label: 'api  │' }),
  ];
  const code = await Promise.race(servers);
  stopAll();
  await Promise.all(servers);
  return code;
});

/** Give both servers the same free port for the API, unless the user chose one. */
async function apiPort() {
  if (process.env.FLASK_RUN_PORT) return {};
  const { port } = apiAddress();
  return {
    FLASK_RUN_PORT: String(await findFreePort(Number(port), '127.0.0.1')),
  };
}

function nodeCommand(script) {
  return [process.execPath, ...script.split(' ').slice(1)];
}
