import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { cannotListen, portIsTaken } from '../../lib/ports.js';
import { problem, readPort } from '../../lib/project.js';
import { isInstalled } from './packages.js';

// No `true` and no `*`: each of them would mean every name. A label may have any letters.
const HOST_NAME = /^(?!true$)\.?[\p{L}\p{N}_-]+(\.[\p{L}\p{N}_-]+)*$/iu;
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
        // To be set to nothing would mean every address.
        host: app.env.HOST || undefined,
        https: certificate(app),
        open: app.isDevelopment && app.env.BROWSER !== 'none',
        // What the command line or vite.config.js says comes last, and wins.
        ...config.server,
        // Added to those of vite.config.js.
        allowedHosts: readAllowedHosts(app.env.ALLOWED_HOSTS),
      },
    }),
    configureServer(server) {
      if (!app.isDevelopment) return;
      nameEditor(app.env);
      nameWrongPlace(app.env, server);
      if (app.env.DANGEROUSLY_DISABLE_HOST_CHECK === 'true') {
        server.config.logger.warn(
          'DANGEROUSLY_DISABLE_HOST_CHECK is ignored, as any website could then read this server. ' +
            'Name the hosts in ALLOWED_HOSTS, for example ALLOWED_HOSTS=.example.com',
        );
      }
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

/**
 * Read the names by which the development server may be asked, besides this machine's own.
 *
 * A page of any other name could be one of another website, whose owner lets it lead here.
 *
 * @param {string} [text] with commas or spaces; '.example.com' means all below, too
 * @returns {string[]} for Vite's `server.allowedHosts`
 * @throws {Error} when one of them is no name
 */
export function readAllowedHosts(text = '') {
  const names = text.split(/[\s,]+/).filter(Boolean);
  return names.map((name) => {
    if (!HOST_NAME.test(name) || !canParse(`http://${bare(name)}`)) {
      throw problem(
        `ALLOWED_HOSTS: ${JSON.stringify(name)} is not the name of a host. Write names such as ` +
          'app.example.com, or .example.com for all below it, without a scheme, port or *.',
      );
    }
    // As browsers write it: in small letters, and ASCII alone.
    const { hostname } = new URL(`http://${bare(name)}`);
    return name.startsWith('.') ? `.${hostname}` : hostname;
  });
}

function bare(name) {
  return name.replace(/^\./, '');
}

/** Where the overlay's links lead; what the .env files no longer say is taken back. */
function nameEditor({ REACT_EDITOR, LAUNCH_EDITOR }) {
  const editor = REACT_EDITOR || LAUNCH_EDITOR;
  if (editor) process.env.LAUNCH_EDITOR = editor;
  else delete process.env.LAUNCH_EDITOR;
}

/** Say which setting is wrong where the server cannot listen. */
function nameWrongPlace(env, server) {
  const { listen } = server;
  server.listen = (...args) =>
    listen(...args).catch((error) => {
      const { port, host } = server.config.server;
      if (/^Port \d+ is already in use$/.test(error.message)) {
        throw portIsTaken(port, 'set PORT.');
      }
      throw cannotListen(
        error,
        { port, host },
        {
          port: port === Number(env.PORT || 3000) ? 'PORT' : '--port',
          host: host === env.HOST ? 'HOST' : '--host',
        },
      );
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
