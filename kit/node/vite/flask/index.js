import fs from 'node:fs';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { apiAddress, readPackage } from '../../lib/project.js';
import {
  answerProblem,
  givesWay,
  isForIndex,
  isJson,
  isNavigation,
  PROBLEM,
  VARY,
  wantsDocument,
} from '../requests.js';
import { FlaskLink } from './link.js';
import { Overlay, overlayClient } from './overlay.js';
import { ask, pass } from './proxy.js';
import { askNextVite, followRestarts, requests } from './restarts.js';
import { passUpgrades } from './upgrades.js';

const NAVIGATION_WAITS = 2_000;
const MOST_TOLD = 1_000;
let isAnnounced = false;
const WAY_OUT =
  'Stop that, or choose another port: set FLASK_RUN_PORT for both servers.';
// Under `npm run dev` the launcher starts Flask, also when Vite sees that its files change.
const IS_MANAGED = Boolean(process.env.API_IS_STARTING);
const DEFAULT_TARGET = 'http://127.0.0.1:5000';
const NOBODYS = ['**/__pycache__/**', '**/venv/**', '**/.venv/**', isVenv];

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
    ...overlayClient,
    config: ({ server }) => ({
      server: {
        watch: { ignored: IS_MANAGED ? NOBODYS : [...NOBODYS, '**/*.py'] },
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
    const isOther = next?.process !== greeting?.process;
    greeting = next;
    if (link.stranger) {
      hasFailed = true;
      return logger.warnOnce(`${whoAnswers()} ${WAY_OUT}`);
    }
    if (hasFailed && !next?.error) {
      logger.info('The API answers.', { timestamp: true });
    }
    if (!next) {
      if (hasFailed && !link.isBroken) {
        overlay.clear();
        reload();
      }
      hasFailed = link.isBroken;
      return logger.warnOnce(whoHasNoLink());
    }
    if (IS_MANAGED) {
      const loaded = next.files ?? [];
      server.watcher.add(loaded);
      process.send?.({ loaded });
    }
    if (next.error) {
      overlay.show(next.error, 'while the app was imported', { lasts: true });
    } else {
      if (isOther || hasFailed) overlay.clear();
      if (next.code !== (lastCode ?? next.code) || hasFailed) reload();
    }
    lastCode = next.code;
    hasFailed = Boolean(next.error);
  });

  link.on('crash', ({ crash, request }) => overlay.show(crash, request));
  link.on('ended', (crash) => {
    if (!crash) return;
    hasFailed = true;
    overlay.show(crash, 'when it was started', { lasts: true });
  });

  if (IS_MANAGED) {
    followRestarts(server, link);
    announce(server, link);
  }
  server.httpServer.on('close', () => link.close());
  passUpgrades(server, target, link, webSockets);

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
    if (link.isClosed) return askNextVite(req, res);
    if (!canAnswer) return unavailable();
    let answer;
    let isLooking = false;
    requests.add(req, res);
    try {
      answer = await ask(target, req, res, {
        async find() {
          isLooking = true;
          // The process that is ending could still take the next request.
          if (link.ready) link.connect();
          return isReady();
        },
        isLinked: () => Boolean(greeting),
      });
      if (isCrash(answer)) answer.body ??= await buffer(answer);
    } catch (error) {
      if (res.closed) return;
      if (link.isClosed && isLooking) return askNextVite(req, res);
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
    if (!('content-length' in answer.headers)) requests.forget(res);
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
      ? `${whoAnswers()} ${WAY_OUT}`
      : (link.crash?.exception ?? `Start the API with: ${startCommand()}`);
    if (!hasFailed && !link.stranger && !link.crash) {
      logger.error(`No API at ${target.origin}. ${detail}`, {
        timestamp: true,
      });
    }
    hasFailed = true;
    if (link.stranger) {
      // Not before: a page may be without an API, and another project's be there.
      const crash = { exception: whoAnswers(), traceback: '', cure: WAY_OUT };
      overlay.show(crash, undefined, { lasts: true });
    }
    answerProblem(req, res, 503, detail);
  }

  function whoAnswers() {
    return `${target.origin} is answered by ${link.stranger}.`;
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

/** Print one address and what is there, where `npm run dev` shows the output of both. */
function announce(server, link) {
  const say = (text) => {
    const { local, network } = server.resolvedUrls;
    const urls = [...local, ...network].join(' ');
    server.config.logger.info(`  ${text}: ${urls}\n`);
  };
  let isTold = false;
  const look = () => {
    if (link.isClosed) return;
    const isAnswering = link.ready && !link.greeting?.error;
    if (isAnswering) {
      isAnnounced = true;
      link.off('ready', look);
      link.off('ended', look);
      say('React and Flask are ready');
    } else if (!isTold) {
      isTold = true;
      say('React is ready; the API does not answer yet, see above');
    }
  };
  const begin = () => {
    link.on('ready', look);
    link.on('ended', look);
    if (link.ready || link.crash) look();
  };
  server.printUrls = () => {};
  if (!isAnnounced) {
    // Vite notes its addresses once it has heard this, too.
    server.httpServer.once('listening', () => setImmediate(begin));
  }
}

/** A virtual environment has thousands of files. */
function isVenv(file) {
  return fs.existsSync(path.join(file, 'pyvenv.cfg'));
}
