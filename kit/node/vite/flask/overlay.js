import fs from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { scriptSources } from '../policy.js';
import { overlayError } from './overlay-error.js';

const RECENT = 2_000;
// React's StrictMode asks everything twice; the terminal tells a crash as seldom.
const REPETITION = 1_000;
const CLIENT = '\0flask:overlay';
const CLIENT_FILE = new URL('overlay-client.js', import.meta.url);

/** The hooks of a Vite plugin that put the script of the overlay into the page. */
export const overlayClient = {
  resolveId: { filter: { id: /^\0flask:overlay$/ }, handler: () => CLIENT },
  load: {
    filter: { id: /^\0flask:overlay$/ },
    handler: () => fs.readFileSync(CLIENT_FILE, 'utf8'),
  },
  transformIndexHtml(_html, { server }) {
    if (!server || !isEnabled(server.config)) return undefined;
    const attrs = { type: 'module', src: addressOfClient(server.config) };
    return [{ tag: 'script', attrs, injectTo: 'head-prepend' }];
  },
};

/** Shows Python exceptions in Vite's error overlay, in every page that is open. */
export class Overlay {
  #server;
  #lasting;
  #latest;
  #latestAt = Number.NEGATIVE_INFINITY;
  #sentAt = Number.NEGATIVE_INFINITY;

  /** @param {import('vite').ViteDevServer} server */
  constructor(server) {
    this.#server = server;
    // A page that is just loading connects after its first request has failed.
    server.ws.on('vite:client:connect', (_data, client) => {
      const isRecent = Date.now() < this.#latestAt + RECENT;
      const shown = this.#lasting ?? (isRecent ? this.#latest : undefined);
      if (shown) setImmediate(() => client.send(shown));
    });
  }

  /**
   * Show an exception, or what else keeps the API from answering.
   *
   * One that lasts is shown to pages opened later too, until `clear`, and meanwhile in place
   * of those that its requests raise.
   *
   * @param {import('./overlay-error.js').Crash} crash
   * @param {string} [request] during which it was raised, such as 'GET /time'
   * @param {{ lasts?: boolean }} [options]
   */
  show(crash, request, { lasts = false } = {}) {
    const { root } = this.#server.config;
    const shown =
      this.#lasting && !lasts
        ? this.#lasting
        : {
            type: 'error',
            err: { ...overlayError(crash, request, root), lasts },
          };
    const isRepeated =
      isDeepStrictEqual(shown, this.#latest) &&
      Date.now() < this.#sentAt + REPETITION;
    if (lasts) this.#lasting = shown;
    this.#latest = shown;
    this.#latestAt = Date.now();
    if (isRepeated) return;
    this.#sentAt = Date.now();
    // Without a client Vite would keep it for the next one, however much later.
    if (this.#server.ws.clients.size > 0) this.#server.ws.send(shown);
  }

  /**
   * Show the exception in a problem of the API, if it tells one: it does so in debug.
   *
   * @param {Buffer} body application/problem+json
   * @param {string} request
   * @returns {boolean} whether there was an exception to show
   */
  showProblem(body, request) {
    let problem;
    try {
      problem = JSON.parse(body.toString());
    } catch {
      return false;
    }
    if (!isCrash(problem)) return false;
    this.show(problem, request);
    return true;
  }

  /** Show it no longer: the API has restarted. */
  clear() {
    this.#lasting = undefined;
    this.#latest = undefined;
    this.#server.ws.send('flask:clear');
  }

  /** Whether Vite's `server.hmr.overlay` is on, as it is by default. */
  get isEnabled() {
    return isEnabled(this.#server.config);
  }

  /**
   * Answer a navigation or form that raised with a page for the overlay to appear on.
   *
   * @param {import('node:http').IncomingMessage} req
   * @param {import('node:http').ServerResponse} res
   */
  answerWithPage(req, res) {
    // The reload after the fix must not post a form again: it goes back to the form.
    const address = req.method === 'POST' ? formOf(req) : req.originalUrl;
    const script = `history.replaceState(null, '', ${quote(address)})`;
    const { config } = this.#server;
    const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>500 Internal Server Error</title>
<script>${script}</script>
<script type="module" src="${config.base}@vite/client"></script>
<script type="module" src="${addressOfClient(config)}"></script>
<h1>500 Internal Server Error</h1>
<p>Save the fix, and this page loads again.</p>
`;
    const scripts = scriptSources(html).join(' ');
    res.writeHead(500, {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': `script-src 'self' ${scripts}`,
    });
    res.end(html);
  }
}

function isEnabled({ server: { hmr } }) {
  return hmr !== false && hmr?.overlay !== false;
}

function addressOfClient({ base }) {
  return `${base}@id/${CLIENT.replace('\0', '__x00__')}`;
}

function isCrash(problem) {
  return (
    typeof problem?.exception === 'string' &&
    typeof problem.traceback === 'string'
  );
}

/** Where a form was, if that is known and not another website. */
function formOf({ headers }) {
  const { referer = '', host } = headers;
  if (!URL.canParse(referer)) return '/';
  const url = new URL(referer);
  return url.host === host ? url.pathname + url.search : '/';
}

/** Write a text as JavaScript, with nothing in it that would end the script. */
function quote(text) {
  return JSON.stringify(text).replaceAll('<', '\\u003c');
}
