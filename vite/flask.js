import { once } from 'node:events';
import { STATUS_CODES } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { normalizePath } from 'vite';
import { apiAddress, ROOT } from '../scripts/lib/project.mjs';
import { isForIndex, isNavigation, wantsDocument } from './create-react-app.js';
import { FlaskLink } from './flask-link.js';
import { Overlay } from './flask-overlay.js';
import { ask, pass, passUpgrade } from './flask-proxy.js';

const NAVIGATION_WAITS = 2_000;
const PROBLEM = 'application/problem+json';

/**
 * Join Vite's development server and Flask's, so that the browser sees one.
 *
 * What Vite does not recognise is asked of the API, requests wait while Flask restarts, the
 * page reloads when the API has new code, and a Python exception is shown in Vite's overlay.
 *
 * @returns {import('vite').Plugin} to be listed in vite.config.js
 */
export default function flask() {
  return {
    name: 'flask',
    apply: 'serve',
    // Flask watches its own files; api/venv alone has thousands.
    config: () => ({
      server: { watch: { ignored: [`${normalizePath(ROOT)}/api/**`] } },
    }),
    configureServer,
  };
}

function configureServer(server) {
  const target = apiAddress();
  if (!target || !server.httpServer) return;
  const { logger, root } = server.config;
  const link = new FlaskLink(target, root);
  const overlay = new Overlay(server);
  let greeting;
  let hasFailed = false;

  link.on('ready', (next) => {
    if (link.stranger) {
      logger.warnOnce(whoAnswers());
      return;
    }
    if (hasFailed) logger.info('The API answers.', { timestamp: true });
    if (next?.error) {
      overlay.show(next.error, 'while api.py was imported', { lasts: true });
    } else {
      overlay.clear();
      const isChanged = greeting && next && greeting.code !== next.code;
      if (isChanged || greeting?.error || hasFailed) reload();
    }
    greeting = next;
    hasFailed = false;
  });

  server.httpServer.on('close', () => link.close());
  server.httpServer.on('upgrade', async (req, socket, head) => {
    if (/^vite-/.test(req.headers['sec-websocket-protocol'])) return;
    socket.on('error', () => socket.destroy());
    const isReady = (await link.whenReady()) && !link.stranger;
    if (isReady) passUpgrade(target, req, socket, head);
    else socket.end('HTTP/1.1 503 Service Unavailable\r\n\r\n');
  });
  if (process.env.API_IS_STARTING) announce(server, link);

  /** Let the API answer; leave to the page each navigation that is not to one of its routes. */
  async function askApi(req, res, next) {
    if (isForIndex(req)) return next();
    const isForPage = isNavigation(req);
    const isReady = () =>
      link.whenReady(isForPage ? NAVIGATION_WAITS : undefined);
    const unavailable = () =>
      isForPage ? next() : answerUnavailable(req, res);

    if (!(await isReady()) || link.stranger) return unavailable();
    let answer;
    try {
      answer = await ask(target, req, res, () => {
        link.connect();
        return isReady();
      });
      if (isCrash(answer)) answer.body ??= await buffer(answer);
    } catch (error) {
      if (res.closed) return;
      if (error.code === 'ECONNREFUSED') return unavailable();
      const detail = `The API went away during ${req.method} ${req.originalUrl}.`;
      return answerProblem(req, res, 502, detail);
    }
    if (isForPage && isWithoutRoute(answer)) {
      answer.destroy();
      return next();
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
  function isWithoutRoute({ statusCode, headers }) {
    const isMissing = statusCode === 404 || statusCode === 405;
    return isMissing && (!greeting || headers['x-flask-route'] === 'none');
  }

  function answerUnavailable(req, res) {
    const detail = link.stranger
      ? whoAnswers()
      : 'Start the API with: yarn start-api';
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
      'set FLASK_RUN_PORT for yarn start and yarn start-api.'
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

function isCrash({ statusCode, headers }) {
  return statusCode === 500 && headers['content-type'] === PROBLEM;
}

/** Print one address, once both servers answer, where `yarn dev` shows the output of both. */
function announce(server, link) {
  server.printUrls = async () => {
    if (!link.ready) await once(link, 'ready');
    const [url] = server.resolvedUrls.local;
    server.config.logger.info(`  React and Flask are ready: ${url}\n`);
  };
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
