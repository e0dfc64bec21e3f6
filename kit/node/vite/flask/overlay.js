import { codeFrame } from '../code-frame.js';
import { scriptSources } from '../policy.js';

const RECENT = 2_000;
const FRAME = /^ {2}File "(.+)", line (\d+)(?:, in (.+))?$/;
const LIBRARY = /[\\/](site-packages|react_flask_kit|python3\.\d+|Lib)[\\/]|^</;

/** Shows Python exceptions in Vite's error overlay, in every page that is open. */
export class Overlay {
  #server;
  #last;
  #until = 0;

  /** @param {import('vite').ViteDevServer} server */
  constructor(server) {
    this.#server = server;
    // A page that is just loading connects after its first request has failed.
    server.ws.on('vite:client:connect', (_data, client) => {
      if (Date.now() < this.#until) setImmediate(() => client.send(this.#last));
    });
  }

  /**
   * Show an exception.
   *
   * @param {{ exception: string, traceback: string, file: string, line: number }} crash as
   *   react_flask_kit.errors describes it
   * @param {string} request during which it was raised, such as 'GET /time'
   * @param {{ lasts?: boolean }} [options] lasts: show it to pages opened later too
   */
  show(crash, request, { lasts = false } = {}) {
    this.#last = { type: 'error', err: overlayError(crash, request) };
    this.#until = lasts ? Number.POSITIVE_INFINITY : Date.now() + RECENT;
    // Without a client Vite would keep it for the next one, however much later.
    if (this.#server.ws.clients.size > 0) this.#server.ws.send(this.#last);
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
    if (!problem.traceback) return false;
    this.show(problem, request);
    return true;
  }

  /** Forget what was shown: the API has restarted. */
  clear() {
    this.#until = 0;
  }

  /** Whether Vite's `server.hmr.overlay` is on, as it is by default. */
  get isEnabled() {
    const { hmr } = this.#server.config.server;
    return hmr !== false && hmr?.overlay !== false;
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
    const html = `<!doctype html>
<title>500 Internal Server Error</title>
<script>${script}</script>
<script type="module" src="${this.#server.config.base}@vite/client"></script>
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

/**
 * Turn a Python exception into what Vite's error overlay shows.
 *
 * @param {{ exception: string, traceback: string, file: string, line: number }} crash as
 *   react_flask_kit.errors describes it
 * @param {string} request what was asked, such as 'GET /time'
 * @returns {object} the `err` of Vite's HMR message of type 'error'
 */
function overlayError({ exception, traceback, file, line }, request) {
  return {
    plugin: 'flask',
    message: `${exception}\n\n${request}`,
    id: file,
    loc: { file, line, column: 1 },
    frame: codeFrame({ file, line }),
    stack: shorten(traceback),
  };
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

/** Keep a traceback's places in the project, as links, and count those in libraries. */
function shorten(traceback) {
  const shown = [];
  let hidden = 0;
  let isLibrary = false;
  const showCount = () => {
    if (hidden > 0) shown.push(`  … ${hidden} in libraries`);
    hidden = 0;
  };
  for (const text of traceback.trimEnd().split('\n')) {
    const [, file, line, name] = FRAME.exec(text) ?? [];
    if (file) isLibrary = LIBRARY.test(file);
    else if (!text.startsWith('    ')) isLibrary = false;
    if (isLibrary) {
      if (file) hidden++;
      continue;
    }
    showCount();
    shown.push(file ? `  ${file}:${line}:1 in ${name ?? 'this file'}` : text);
  }
  return shown.join('\n');
}
