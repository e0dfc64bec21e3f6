import crypto from 'node:crypto';
import { prepareApi } from '../lib/api.js';
import { developmentArguments } from '../lib/arguments.js';
import { Changes } from '../lib/changes.js';
import { prepareFrontend } from '../lib/frontend.js';
import { findFreePort, isPortFree, portIsTaken } from '../lib/ports.js';
import { stopAll } from '../lib/processes.js';
import { apiPlace } from '../lib/project.js';
import { Frontend, runApi } from '../lib/servers.js';

const WAY_OUT =
  'set FLASK_RUN_PORT for this and for the frontend, or change "proxy" in package.json.';

/**
 * Run the frontend and the API in one terminal, until one of them or Ctrl-C ends both.
 *
 * Vite's watcher sees the files of both sides, so Flask does not watch any.
 *
 * @param {...string} args for Vite
 * @returns {Promise<number>} the exit code of the one that ended first
 */
export async function dev(...args) {
  developmentArguments('dev', args);
  await prepareBoth();
  const address = await freeApiPlace();
  const env = {
    FLASK_RUN_PORT: address.port,
    API_IS_STARTING: '1',
    // The release step is run once, and not at each start of the API.
    RELEASE_STARTED_BY: crypto.randomUUID(),
  };
  const frontend = new Frontend(args, { env, label: 'frontend │' });
  const changes = new Changes();
  const place = placeAsText();
  const servers = {
    frontend: frontend.run((file, concern) => {
      follow(file, concern, changes, place);
    }),
    API: runApi(frontend, changes, { env, label: 'api      │', address }),
  };
  const { name, code } = await Promise.race(
    Object.entries(servers).map(async ([name, ended]) => ({
      name,
      code: await ended,
    })),
  );
  console.error(
    `\nThe ${name}'s server ended (exit code ${code}), so both are stopped.`,
  );
  await stopAll();
  return code;
}

async function prepareBoth() {
  try {
    await Promise.all([prepareFrontend(), prepareApi()]);
  } catch (error) {
    await stopAll();
    throw error;
  }
}

/** Give both servers the same free port for the API, unless the user chose one. */
async function freeApiPlace() {
  const { host, port } = apiPlace();
  if (!process.env.FLASK_RUN_PORT) {
    return { host, port: String(await findFreePort(port, host)) };
  }
  if (!(await isPortFree(port, host))) throw portIsTaken(port, WAY_OUT);
  return { host, port: String(port) };
}

function follow(file, concern, changes, place) {
  if (concern.startsWith('api')) changes.add(file);
  if (concern === 'packages to pin') {
    console.log(
      'pyproject.toml has changed. After an edit of its lists of packages, run: npm run add-api',
    );
  }
  if (
    ['api', 'frontend packages'].includes(concern) &&
    place !== placeAsText()
  ) {
    console.log(
      'FLASK_RUN_PORT, FLASK_RUN_HOST or "proxy" has changed: stop this, and run npm run dev again.',
    );
  }
}

/** Where the settings say that the API listens, to see when it changes. */
function placeAsText() {
  try {
    return JSON.stringify(apiPlace());
  } catch (error) {
    return error.message;
  }
}
