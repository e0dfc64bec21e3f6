import { once } from 'node:events';
import { STATUS_CODES } from 'node:http';
import { isIP } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { apiAddress, readPackage } from '../../lib/project.js';
import {
  givesWay,
  isForIndex,
  isJson,
  isNavigation,
  VARY,
  wantsDocument,
} from '../requests.js';
import { FlaskLink } from './link.js';
import { Overlay } from './overlay.js';
import { ask, pass, passUpgrade } from './proxy.js';

const NAVIGATION_WAITS = 2_000;
const PROBLEM = 'application/problem+json';
const NO_WEBSOCKETS =
  'WebSockets are not served in production: see the README of react-flask-kit.';
const MOST_TOLD = 1_000;
const DEFAULT_TARGET = 'http://127.0.0.1:5000';
const NOT_OF_THE_FRONTEND = [
  '*.py',
  '__pycache__/**',
  'venv/**',
  '.venv/**',
].map((files) => `**/${files}`);

/**
 * Join Vite's development server and Flask's, so that the browser sees one.
 *
 * What Vite does not recognise is asked of the API, requests wait while Flask restarts, the
 * page reloads when the API has new code, and a Python exception is shown in Vite's overlay.
 *
 * @param {object} [options]
 * @param {string} [options.target] the API's address
 *   @default "proxy" in package.json, else http://127.0.0.1:5000; FLASK_RUN_PORT sets the port
 * @param {boolean} [options.webSockets] whether WebSockets reach an app with the kit, though
 *   its production server does not serve them @default false
 * @returns {import('vite').Plugin} to be listed in vite.config.js
 */
export default function flask({ target, webSockets = false } = {}) {
  return {
    name: 'flask',
    apply: 'serve',
    config: ({ server }) => ({
      server: {
        // Flask watches its own files; a virtual environment alone has thousands.
        watch: { ignored: NOT_OF_THE_FRONTEND },
        // Flask decides who may read its answers; Vite would answer every OPTIONS itself.
        cors: server?.cors ?? false,
      },
    }),
    configureServer: (server) =>
      server.httpServer &&
      join(
        server,
        target ? new URL(target) : apiAddress(DEFAULT_TARGET),
        webSockets,
      ),
  };
}

function join(server, target, webSockets) {
  const { logger, root } = server.config;
  const link = new FlaskLink(target, root);
  const overlay = new Overlay(server);
  let greeting;
  let lastCode;
  let hasFailed = false;
  const told = new Set();

  link.on('ready', (next) => {
    greeting = next;
    if (link.stranger) return logger.warnOnce(whoAnswers());
    if (hasFailed) logger.info('The API answers.', { timestamp: true });
    if (!next) {
      hasFailed = link.isBroken;
      return logger.warnOnce(whoHasNoLink());
    }
    if (next.error) {
      overlay.show(next.error, 'while the app was imported', { lasts: true });
    } else {
      overlay.clear();
      if (next.code !== (lastCode ?? next.code) || hasFailed) reload();
    }
    lastCode = next.code;
    hasFailed = Boolean(next.error);
  });

  server.httpServer.on('close', () => link.close());
  server.httpServer.on('upgrade', (req, socket, head) => {
    upgrade(req, socket, head).catch(() => socket.destroy());
  });

  async function upgrade(req, socket, head) {
    if (/^vite-/.test(req.headers['sec-websocket-protocol'])) return;
    socket.on('error', () => socket.destroy());
    const refuse = (status) => socket.end(`HTTP/1.1 ${status}\r\n\r\n`);
    const { upgrade: protocol, host } = req.headers;
    if (!/^websocket$/i.test(protocol)) return refuse('501 Not Implemented');
    if (!isHostAllowed(host, server.config.server.allowedHosts)) {
      return refuse('403 Forbidden');
    }
    const isReady = (await link.whenReady()) && !link.stranger;
    if (!isReady) return refuse('503 Service Unavailable');
    if (greeting && !webSockets) {
      logger.warn(`${req.url}: ${NO_WEBSOCKETS}`);
      return refuse('501 Not Implemented');
    }
    if (!socket.destroyed) passUpgrade(target, req, socket, head);
  }

  if (process.env.API_IS_STARTING) announce(server, link);

  /** Let the API answer; leave to the page each navigation that is not to one of its routes. */
  async function askApi(req, res, next) {
    if (isForIndex(req)) return next();
    const isForPage = isNavigation(req);
    const isReady = () =>
      link.whenReady(isForPage ? NAVIGATION_WAITS : undefined);
    const unavailable = () =>
      isForPage ? next() : answerUnavailable(req, res);

    const canAnswer = (await isReady()) && !link.stranger;
    if (res.closed) return;
    if (!canAnswer) return unavailable();
    let answer;
    try {
      answer = await ask(target, req, res, () => {
        // The process that is ending could still take the next request.
        if (link.ready) link.connect();
        return isReady();
      });
      if (isCrash(answer)) answer.body ??= await buffer(answer);
    } catch (error) {
      if (res.closed) return;
      if (error.code === 'ECONNREFUSED') return unavailable();
      const request = `${req.method} ${req.originalUrl}`;
      const detail = `The API did not answer ${request} (${error.message}).`;
      return answerProblem(req, res, 502, detail);
    }
    const [path] = req.originalUrl.split('?');
    if (isForPage && givesWay(answer, path, isWithoutRoute(answer))) {
      answer.destroy();
      if (!isWithoutRoute(answer)) tellOnce(req.method, path);
      res.setHeader('Vary', VARY);
      return next();
    }
    if (/^(GET|HEAD)$/.test(req.method) && isJson(answer)) {
      // The page has the same address.
      answer.rawHeaders.push('Vary', VARY);
    }
    if (isCrash(answer)) {
      const request = `${req.method} ${req.originalUrl}`;
      const isShown = overlay.showProblem(answer.body, request);
      if (isShown && overlay.isEnabled && wantsDocument(req)) {
        return overlay.answerWithPage(req, res);
      }
    }
    pass(answer, res);
  }

  /** Routes of an API without our link are unknown: there the page answers every 404. */
  function isWithoutRoute({ headers }) {
    return !greeting || headers['x-flask-route'] === 'none';
  }

  function tellOnce(method, path) {
    if (told.has(path) || told.size > MOST_TOLD) return;
    told.add(path);
    const address = target.origin + path;
    logger.info(`${method} ${path}: JSON gave way to the page; see ${address}`);
  }

  function answerUnavailable(req, res) {
    const detail = link.stranger
      ? whoAnswers()
      : `Start the API with: ${startCommand()}`;
    if (!hasFailed && !link.stranger) {
      logger.error(`No API at ${target.origin}. ${detail}`, {
        timestamp: true,
      });
    }
    hasFailed = true;
    answerProblem(req, res, 503, detail);
  }

  function whoAnswers() {
    return (
      `${target.origin} is answered by ${link.stranger}. Stop that, or choose another port: ` +
      'set FLASK_RUN_PORT for both servers.'
    );
  }

  function whoHasNoLink() {
    return (
      `${target.origin} is answered by a server (${link.server}) that is not the API of this ` +
      'project in debug mode: its exceptions and restarts cannot be followed.'
    );
  }

  function reload() {
    if (server.ws.clients.size === 0) return;
    logger.info('page reload (the API has changed)', { timestamp: true });
    server.ws.send({ type: 'full-reload', path: '*' });
  }

  return () => {
    server.middlewares.use((req, res, next) => {
      askApi(req, res, next).catch(next);
    });
  };
}

function startCommand() {
  const { scripts } = readPackage();
  return scripts?.['start-api'] ? 'yarn start-api' : 'flask run --debug';
}

function isCrash({ statusCode, headers }) {
  return statusCode === 500 && headers['content-type'] === PROBLEM;
}

/** Print one address, once both servers answer, where `yarn dev` shows the output of both. */
function announce(server, link) {
  server.printUrls = async () => {
    if (!link.ready) await once(link, 'ready');
    const { local, network } = server.resolvedUrls;
    const urls = [...local, ...network].join(' ');
    server.config.logger.info(`  React and Flask are ready: ${urls}\n`);
  };
}

/** Keep other websites out, as Vite does for requests: a name of theirs can lead here. */
function isHostAllowed(host = '', allowed) {
  if (allowed === true) return true;
  if (!URL.canParse(`http://${host}`)) return false;
  const name = new URL(`http://${host}`).hostname;
  return (
    isIP(name.replace(/^\[|\]$/g, '')) !== 0 ||
    [...allowed, 'localhost', '.localhost'].some(
      (entry) => name === entry.replace(/^\./, '') || isBelow(name, entry),
    )
  );
}

function isBelow(name, entry) {
  return entry.startsWith('.') && name.endsWith(entry);
}

function answerProblem(req, res, status, detail) {
  const title = STATUS_CODES[status];
  const instance = req.originalUrl.split('?')[0];
  res.writeHead(status, {
    'Content-Type': PROBLEM,
    'Cache-Control': 'no-store',
  });
  res.end(
    JSON.stringify({ type: 'about:blank', title, status, detail, instance }),
  );
  req.resume();
}
