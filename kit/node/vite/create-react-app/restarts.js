import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseEnvFile } from '../../lib/env-file.js';
import { literally, readEnvFile, readProjectFile } from '../../lib/project.js';
import { readEnvironment } from './env.js';

// A file that is saved may be empty for a moment.
const SETTLED_AFTER = 30;
const ENV_FILE = /^(\.env(\.development)?(\.local)?|\.flaskenv)$/;
// Read once, when Vite starts; it restarts by itself for vite.config.js.
const READ_AT_START =
  /^((package|jsconfig|tsconfig(\.[\w-]+)?)\.json|src\/setupProxy\.js|\.babelrc|\.browserslistrc|(postcss|tailwind|babel)\.config\.\w+|\.postcssrc(\.\w+)?)$/;
const OF_THE_FRONTEND =
  /^(REACT_APP_\w+|FLASK_(CSP\w*|PERMISSIONS_POLICY|RUN_(HOST|PORT))|PORT|HOST|ALLOWED_HOSTS|HTTPS|SSL_\w+_FILE|PUBLIC_URL|REACT_EDITOR|IMAGE_INLINE_SIZE_LIMIT)$/;

/**
 * Restart Vite for what it reads once: package.json, settings of languages and styles,
 * certificates, and those values of the .env files that concern the frontend.
 *
 * @param {import('./index.js').App} app
 * @returns {import('vite').Plugin}
 */
export function restarts(app) {
  let certificates;
  let atStart;
  const state = (mode) => stateOf(app.root, mode, certificates);
  return {
    name: 'create-react-app:restarts',
    apply: 'serve',
    config(_config, { mode }) {
      certificates = ['SSL_CRT_FILE', 'SSL_KEY_FILE']
        .filter((name) => app.env.HTTPS === 'true' && app.env[name])
        .map((name) => path.resolve(app.root, app.env[name]));
      atStart = state(mode);
      // Vite would restart for the API's settings too, and knows nothing of .flaskenv.
      return { envDir: false };
    },
    configureServer(server) {
      if (!app.isDevelopment) return;
      const { watcher, config } = server;
      const { logger, mode } = config;
      let isRestarting = false;
      const check = async (what) => {
        await sleep(SETTLED_AFTER);
        try {
          if (isRestarting || state(mode) === atStart) return;
          isRestarting = true;
          logger.info(`${what} changed: Vite restarts.`, { timestamp: true });
          await server.restart();
        } catch (error) {
          logger.error(error.message, { timestamp: true });
        }
        isRestarting = false;
      };
      watcher.add(certificates);
      // Whichever comes last: until then nobody has watched.
      watcher.once('ready', () => check('Files have'));
      server.httpServer?.once('listening', () => check('Files have'));
      watcher.on('all', (_event, file) => {
        const name = path.relative(app.root, file).replaceAll(path.sep, '/');
        const isRead = READ_AT_START.test(name) || ENV_FILE.test(name);
        if (isRead || certificates.includes(file)) check(`${name} has`);
      });
    },
  };
}

/** What Vite has read when it starts, as one text. */
function stateOf(root, mode, certificates) {
  const files = fs
    .readdirSync(root)
    .concat('src/setupProxy.js')
    .filter((name) => READ_AT_START.test(name))
    .map((name) => path.join(root, name))
    .concat(certificates);
  const times = files.map((file) => [
    file,
    fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs,
  ]);
  return JSON.stringify([settings(root, mode), times]);
}

/** What the .env files say to the frontend. */
function settings(root, mode) {
  const values = {
    ...parseEnvFile(readEnvFile(path.join(root, '.flaskenv')) ?? ''),
    ...readEnvironment(root, mode),
  };
  const code = fs
    .readdirSync(root)
    .filter((name) => /^vite\.config\.\w+$/.test(name))
    .map((name) => readProjectFile(root, name))
    .concat(readProjectFile(root, 'src/setupProxy.js') ?? '')
    .join('\n');
  const concerns = ([name]) =>
    OF_THE_FRONTEND.test(name) ||
    new RegExp(`\\b${literally(name)}\\b`).test(code);
  return Object.entries(values).filter(concerns).sort();
}
