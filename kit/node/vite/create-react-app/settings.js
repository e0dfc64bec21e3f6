import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { portIsTaken } from '../../lib/ports.js';
import { problem, readPort } from '../../lib/project.js';
import { isInstalled } from './packages.js';

const EXAMPLES = 'for example "https://example.com/app", "/app" or "."';

/**
 * Read the settings of "Advanced Configuration" for the development server.
 *
 * @param {import('./index.js').App} app
 * @returns {import('vite').Plugin}
 */
export function serverSettings(app) {
  return {
    name: 'create-react-app:server',
    apply: 'serve',
    config: (config) => ({
      server: {
        port: readPort('PORT', app.env.PORT, 3000),
        strictPort: true,
        host: app.env.HOST,
        https: certificate(app),
        open: app.isDevelopment && app.env.BROWSER !== 'none',
        // What the command line or vite.config.js says comes last, and wins.
        ...config.server,
      },
    }),
    configureServer(server) {
      if (!app.isDevelopment) return;
      if (app.env.REACT_EDITOR) {
        process.env.LAUNCH_EDITOR = app.env.REACT_EDITOR;
      }
      nameTakenPort(server);
      setUpProxy(app, server);
    },
  };
}

/** "Using HTTPS in Development", with a certificate of one's own. */
function certificate({ root, env }) {
  if (env.HTTPS !== 'true') return undefined;
  const read = (name) => {
    const file = path.resolve(root, env[name] ?? '');
    if (env[name] && fs.existsSync(file)) return fs.readFileSync(file);
    throw problem(
      `HTTPS=true needs a certificate, but ${name} is ` +
        `${env[name] ? `not a file: ${env[name]}` : 'not set'}. ` +
        'Set SSL_CRT_FILE and SSL_KEY_FILE; mkcert makes one that your browser trusts.',
    );
  };
  return { cert: read('SSL_CRT_FILE'), key: read('SSL_KEY_FILE') };
}

function nameTakenPort(server) {
  const { listen } = server;
  server.listen = (...args) =>
    listen(...args).catch((error) => {
      if (!/^Port \d+ is already in use$/.test(error.message)) throw error;
      throw portIsTaken(server.config.server.port, 'set PORT.');
    });
}

/** "Configuring the Proxy Manually": src/setupProxy.js is CommonJS, and asked before the page. */
function setUpProxy({ root }, { middlewares }) {
  const file = path.join(root, 'src/setupProxy.js');
  if (!fs.existsSync(file)) return;
  const require = createRequire(file);
  delete require.cache[file];
  const express = isInstalled(root, 'express') && require('express');
  if (!express) {
    require(file)(withoutExpress(middlewares));
    return;
  }
  const app = express().disable('x-powered-by');
  require(file)(app);
  middlewares.use(app);
}

/** Say what is missing of Express, which the server of react-scripts was. */
function withoutExpress(middlewares) {
  return new Proxy(middlewares, {
    get(connect, name) {
      if (name in connect || typeof name === 'symbol') return connect[name];
      throw problem(
        `src/setupProxy.js uses app.${name}() of Express. Run: npm run add-frontend express`,
      );
    },
  });
}

/**
 * Tell where the page will be: PUBLIC_URL, or package.json's "homepage", without a last slash.
 *
 * "Building for Relative Paths": a homepage gives its path, "." means anywhere; "Advanced
 * Configuration": PUBLIC_URL is used verbatim, but development ignores its host.
 *
 * @param {Record<string, string>} env
 * @param {string | undefined} homepage
 * @param {boolean} isBuild
 * @returns {string}
 * @throws {Error} when it is no address
 */
export function readPublicUrl(env, homepage, isBuild) {
  const address = env.PUBLIC_URL || homepage || '/';
  const name = env.PUBLIC_URL ? 'PUBLIC_URL' : '"homepage" in package.json';
  if (!/^\.{0,2}\/|^\.$|^https?:\/\/./.test(address) || !canParse(address)) {
    throw problem(
      `${name} is ${JSON.stringify(address)}. Write an address, ${EXAMPLES}.`,
    );
  }
  if (address.startsWith('.')) return isBuild ? address.replace(/\/$/, '') : '';
  const isVerbatim = isBuild && env.PUBLIC_URL;
  const place = isVerbatim ? address : new URL(address, 'http://_').pathname;
  return place.replace(/\/$/, '');
}

function canParse(address) {
  return URL.canParse(address, 'http://_');
}
