#!/usr/bin/env node
/**
 * The commands of package.json: `node kit/node COMMAND` prepares what it needs, then runs it.
 *
 * Nothing that this file imports needs a package, because a fresh clone has none.
 */
import { addApi } from './commands/add-api.js';
import { addFrontend } from './commands/add-frontend.js';
import { checkInstaller } from './commands/check-installer.js';
import { dev } from './commands/dev.js';
import { kit } from './commands/kit.js';
import { testExtensions } from './commands/test-extensions.js';
import { testKit } from './commands/test-kit.js';
import { apiCommand, apiEnv, prepareApi, venvPython } from './lib/api.js';
import { frontendCommand, prepareFrontend } from './lib/frontend.js';
import { fromJestOptions } from './lib/jest-options.js';
import { isPortFree, portIsTaken } from './lib/ports.js';
import { run } from './lib/processes.js';
import {
  apiAddress,
  flaskSetting,
  isNodeSupported,
  problem,
} from './lib/project.js';

const NO_TESTS = 5;

const COMMANDS = {
  dev,
  start: (...args) => frontend('vite', ...args),
  'start-api': startApi,
  test,
  'test-frontend': testFrontend,
  'test-api': testApi,
  build: (...args) => frontend('vite', 'build', ...args),
  serve: async (...args) =>
    (await frontend('vite', 'build')) || production(...args),
  lint,
  format,
  'add-frontend': addFrontend,
  'add-api': addApi,
  flask: (...args) => api('flask', ...args),
  python: apiPython,
  kit,
  'prepare-api': () => prepareApi(),
  'prepare-frontend': () => prepareFrontend(),
  'check-installer': checkInstaller,
  'test-kit': testKit,
  'test-extensions': testExtensions,
};

const [name, ...args] = process.argv.slice(2);
try {
  assertNodeIsSupported();
  if (!Object.hasOwn(COMMANDS, name)) {
    throw problem(
      `There is no command ${JSON.stringify(name ?? '')}. The commands are: ` +
        `${Object.keys(COMMANDS).join(', ')}.`,
    );
  }
  process.exitCode = await COMMANDS[name](...args);
} catch (error) {
  console.error(`\n${error.stack}\n`);
  process.exitCode = 1;
}

function assertNodeIsSupported() {
  const { node } = process.versions;
  if (!isNodeSupported(node)) {
    throw problem(
      `This is Node.js ${node}. Install 20.19, 22.12 or a newer one from ` +
        'https://nodejs.org, then run the command again.',
    );
  }
}

/** Run a program that a package of the frontend brings. */
async function frontend(...command) {
  await prepareFrontend();
  return run(frontendCommand(command));
}

/** Run a Python module with what the app needs. */
async function api(...command) {
  await prepareApi();
  return run(apiCommand(command), { env: apiEnv() });
}

/** Run the production server, which finishes what it has begun when it is told to end. */
async function production(...args) {
  await prepareApi();
  const seconds = Number(flaskSetting('WEB_SECONDS_TO_FINISH')) || 30;
  return run(apiCommand(['react_flask_kit', ...args]), {
    env: apiEnv(),
    patience: (seconds + 5) * 1000,
  });
}

/** Run a Python module that is a tool of development. */
async function apiTool(...command) {
  await prepareApi({ dev: true });
  return run(apiCommand(command), { env: apiEnv() });
}

/** Run Python itself, with the tools of development: `node kit/node python -c "…"`. */
async function apiPython(...args) {
  await prepareApi({ dev: true });
  return run([venvPython(), ...args], { env: apiEnv() });
}

/** Let Flask listen where the frontend expects it. */
async function startApi(...args) {
  await prepareApi();
  const port = apiAddress()?.port || '5000';
  const host = flaskSetting('FLASK_RUN_HOST') ?? '127.0.0.1';
  if (!(await isPortFree(Number(port), host))) {
    throw portIsTaken(
      port,
      'set FLASK_RUN_PORT for this and for the frontend, or change "proxy" in package.json.',
    );
  }
  const flask = ['flask', '--app', 'react_flask_kit.development', 'run'];
  return run(apiCommand([...flask, '--no-debugger', ...args]), {
    env: { ...apiEnv(), FLASK_RUN_PORT: port, PYTHONUNBUFFERED: '1' },
  });
}

async function test(...args) {
  if (args.length > 0) {
    throw problem(
      `Vitest and pytest have other options. Give ${args.join(' ')} to one of them:\n` +
        'npm run test-frontend -- …   or   npm run test-api -- …',
    );
  }
  return Math.max(await testFrontend(), await testApi());
}

function testFrontend(...args) {
  const options = fromJestOptions(['--passWithNoTests', ...args]);
  return frontend('vitest', ...options);
}

/** A project without tests of its API is no failure; to find none of those asked for is one. */
async function testApi(...args) {
  const code = await apiTool('pytest', ...args);
  return code === NO_TESTS && args.length === 0 ? 0 : code;
}

/** Check the style of both languages; each side speaks even if the other one fails. */
async function lint() {
  const code = Math.max(
    await frontend('biome', 'ci'),
    await apiTool('ruff', 'check'),
    await apiTool('ruff', 'format', '--check'),
  );
  if (code !== 0) {
    console.error('\nWhat needs no decision is mended by: npm run format');
  }
  return code;
}

/** Rewrite the style of both languages; what only a person can mend is printed. */
async function format() {
  return Math.max(
    await frontend('biome', 'check', '--write'),
    await apiTool('ruff', 'check', '--fix', '--exit-zero'),
    await apiTool('ruff', 'format'),
  );
}
