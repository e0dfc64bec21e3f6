import { findFreePort } from '../lib/ports.js';
import { run, stopAll } from '../lib/processes.js';
import { apiAddress } from '../lib/project.js';

const [NODE, LAUNCHER] = process.argv;

/**
 * Run the frontend and the API in one terminal, until one of them or Ctrl-C ends both.
 *
 * @param {...string} args for Vite
 * @returns {Promise<number>} the exit code of the one that ended first
 */
export async function dev(...args) {
  const env = { ...(await apiPort()), API_IS_STARTING: '1' };
  const start = (label, ...command) =>
    run([NODE, LAUNCHER, ...command], { env, label });
  const frontend = start('frontend │', 'start', ...args);
  const api = start('api      │', 'start-api');
  const { name, code } = await Promise.race([
    frontend.then((code) => ({ name: 'frontend', code })),
    api.then((code) => ({ name: 'API', code })),
  ]);
  console.error(
    `\nThe ${name}'s server ended (exit code ${code}), so both are stopped.`,
  );
  stopAll();
  await Promise.all([frontend, api]);
  return code;
}

/** Give both servers the same free port for the API, unless the user chose one. */
async function apiPort() {
  if (process.env.FLASK_RUN_PORT) return {};
  const port = Number(apiAddress()?.port || 5000);
  return { FLASK_RUN_PORT: String(await findFreePort(port, '127.0.0.1')) };
}
