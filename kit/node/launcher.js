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
import {
  buildArguments,
  developmentArguments,
  flaskPlace,
  productionPlace,
  refuseArguments,
} from './lib/arguments.js';
import { frontendCommand, prepareFrontend } from './lib/frontend.js';
import { fromJestOptions } from './lib/jest-options.js';
import { isPortFree, portIsTaken } from './lib/ports.js';
import { run } from './lib/processes.js';
import {
  apiAddress,
  apiPlace,
  flaskSetting,
  isNodeSupported,
  problem,
  readPackage,
  readProjectFile,
} from './lib/project.js';
import { Frontend, runReloadingApi } from './lib/servers.js';

const NO_TESTS = 5;

const COMMANDS = {
  dev,
  start: startFrontend,
  'start-api': startApi,
  test,
  'test-frontend': testFrontend,
  'test-api': testApi,
  build: (...args) => frontend('vite', 'build', ...buildArguments(args)),
  serve,
  lint,
  format,
  'add-frontend': addFrontend,
  'add-api': addApi,
  flask: (...args) => api('flask', ...args),
  python: apiPython,
  kit,
  'prepare-api': (...args) => {
    refuseArguments('prepare-api', args);
    return prepareApi();
  },
  'prepare-frontend': (...args) => {
    refuseArguments('prepare-frontend', args);
    return prepareFrontend();
  },
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

/** Build, and run the production server, which finishes what it has begun when told to end. */
async function serve(...args) {
  const place = productionPlace(args);
  const code = await frontend('vite', 'build');
  if (code !== 0) return code;
  await prepareApi();
  const seconds = Number(flaskSetting('WEB_SECONDS_TO_FINISH')) || 30;
  return run(apiCommand(['react_flask_kit']), {
    env: { ...apiEnv(), ...place },
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

/** Let Flask listen where the frontend expects it, or where its arguments say. */
async function startApi(...args) {
  const given = flaskPlace(args);
  await prepareApi();
  const usual = apiPlace();
  const { port = usual.port, host = usual.host } = given;
  const names = {
    port: given.port ? '--port' : 'FLASK_RUN_PORT',
    host: given.host ? '--host' : 'FLASK_RUN_HOST',
  };
  if (!(await isPortFree(port, host, names))) {
    throw portIsTaken(
      port,
      'set FLASK_RUN_PORT for this and for the frontend, or change "proxy" in package.json.',
    );
  }
  tellFrontendsUser(given);
  return runReloadingApi(args, String(port));
}

/** The frontend knows the settings, but not the arguments of this command. */
function tellFrontendsUser({ port, host }) {
  const settings = {
    ...(port && { FLASK_RUN_PORT: String(port) }),
    ...(host && { FLASK_RUN_HOST: host }),
  };
  const asked = apiAddress()?.origin;
  if (
    asked === apiAddress(undefined, { ...process.env, ...settings })?.origin
  ) {
    return;
  }
  const lines = Object.entries(settings).map((setting) => setting.join('='));
  console.log(
    `The frontend asks ${asked}. Set ${lines.join(' and ')} for it too, or write that into .env.`,
  );
}

/** Let the page be developed. */
async function startFrontend(...args) {
  developmentArguments('start', args);
  await prepareFrontend();
  return new Frontend(args).run();
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

/** Check the style of both languages, and types; each speaks even if another one fails. */
async function lint(...args) {
  refuseArguments('lint', args, 'To rewrite the style: npm run format');
  const code = Math.max(
    await frontend('biome', 'ci', ...plain()),
    await checkTypes(),
    await apiTool('ruff', 'check'),
    await apiTool('ruff', 'format', '--check'),
  );
  if (code !== 0) {
    console.error('\nWhat needs no decision is mended by: npm run format');
  }
  return code;
}

/** Without a terminal, Biome would write the codes of colours around each letter. */
function plain() {
  return process.stdout.isTTY ? [] : ['--colors=off'];
}

/** Only where the page is in TypeScript, as create-react-app tells by the same file. */
function checkTypes() {
  const { dependencies, devDependencies } = readPackage();
  const packages = { ...dependencies, ...devDependencies };
  const isTyped = readProjectFile('tsconfig.json') && packages.typescript;
  return isTyped ? frontend('tsc', '--noEmit') : 0;
}

/** Rewrite the style of both languages; what only a person can mend is printed. */
async function format(...args) {
  refuseArguments('format', args);
  return Math.max(
    await frontend('biome', 'check', '--write', ...plain()),
    await apiTool('ruff', 'check', '--fix', '--exit-zero'),
    await apiTool('ruff', 'format'),
  );
}
