import fs from 'node:fs';
import path from 'node:path';
import { buildErrorMessage, normalizePath } from 'vite';
import { problem } from '../../lib/project.js';
import { isForIndex, isNavigation } from '../requests.js';
import { runTemplate } from './template.js';

const INDEX = /\/index\.html$/;
// What Vite sees of the page: the rest is as it stands in public/index.html, as ever.
const EMPTY = '<!doctype html><html><head></head><body></body></html>';
const PARTS =
  /<head\b[^>]*>([\s\S]*)<\/head>[\s\S]*?<body\b[^>]*>([\s\S]*)<\/body>/;
// On http://localhost that would be http, which the policy blocks.
const WITHOUT_SCHEME = /(\b(?:href|src)\s*=\s*["']?)\/\/(?=\w)/gi;
const ERROR = '\0create-react-app:page-error';
const IS_ERROR = /^\0create-react-app:page-error$/;
const ERROR_SCRIPT = `
const { ErrorOverlay } = await import('/@vite/client');
const { textContent } = document.getElementById('error');
document.body.append(new ErrorOverlay(JSON.parse(textContent)));
`;
const NO_TAGS =
  '<!--[\\s\\S]*?-->|<(script|style|template|textarea|title)\\b[\\s\\S]*?</\\1\\s*>';

/**
 * Let public/index.html be the page, start src/index.js in it, and serve it to every navigation.
 *
 * @param {import('./index.js').App} app
 * @returns {import('vite').Plugin[]}
 */
export function publicIndexHtml(app) {
  let source;
  let page;
  let logger;
  const read = () => {
    const text = fs.readFileSync(source, 'utf8').replace(/^\uFEFF/, '');
    const html = runTemplate(text, source, app.pageEnv);
    const filled = fillIn(html, app, (message) => logger.warnOnce(message));
    return filled.replace(WITHOUT_SCHEME, '$1https://');
  };
  const readFirst = () => {
    try {
      read();
    } catch ({ message, frame }) {
      throw problem(`${message}\n${frame ?? ''}`);
    }
  };
  const entry = {
    name: 'create-react-app:public-index-html',
    enforce: 'pre',
    config() {
      if (app.isTest) return { appType: 'custom' };
      source = path.join(app.root, 'public/index.html');
      page = normalizePath(path.join(app.root, 'index.html'));
      if (!fs.existsSync(source)) {
        throw problem(
          'public/index.html is missing: the page is made from it.',
        );
      }
      return {
        appType: 'custom',
        optimizeDeps: { entries: [app.entry.slice(1)] },
        build: { rolldownOptions: { input: { main: page } } },
      };
    },
    configResolved(config) {
      logger = config.logger;
      if (app.isBuild) readFirst();
    },
    resolveId: {
      filter: { id: [INDEX, IS_ERROR] },
      handler: (id) => (id === page || id === ERROR ? id : undefined),
    },
    load: {
      filter: { id: [INDEX, IS_ERROR] },
      handler: (id) =>
        id === page ? EMPTY : id === ERROR ? ERROR_SCRIPT : undefined,
    },
    transformIndexHtml: {
      order: 'pre',
      handler: () => [
        {
          tag: 'script',
          attrs: { type: 'module', src: app.entry },
          injectTo: 'head',
        },
      ],
    },
    configureServer: {
      // Last, so that what other plugins add is asked before the page.
      order: 'post',
      handler(server) {
        if (app.isTest) return;
        server.watcher.on('change', (file) => {
          if (path.resolve(file) === source) {
            server.hot.send({ type: 'full-reload', path: '*' });
          }
        });
        server.middlewares.use(function keepToPageFiles(req, _res, next) {
          req.urlInPage = urlInPage(req.url, app.publicUrl) ?? req.url;
          // Vite serves any file below its root; those who answer read originalUrl.
          req.url = isFileOfPage(server, req.urlInPage) ? req.urlInPage : '/';
          next();
        });
        return () => {
          server.middlewares.use(async function servePage(req, res, next) {
            if (!isForIndex(req) && !isNavigation(req)) return next();
            if (urlInPage(req.originalUrl, app.publicUrl) === undefined) {
              const Location = app.publicUrl + req.originalUrl;
              return res.writeHead(302, { Location }).end();
            }
            try {
              const body = await server.transformIndexHtml(
                '/index.html',
                EMPTY,
              );
              res.setHeader('Content-Type', 'text/html; charset=utf-8');
              res.setHeader('Cache-Control', 'no-cache');
              res.end(body);
            } catch (error) {
              showError(server.config.logger, error, res);
            }
          });
        };
      },
    },
  };
  const around = {
    name: 'create-react-app:page',
    // The first that is asked after Vite: others see and change the whole page.
    enforce: 'pre',
    transformIndexHtml(html, { filename }) {
      if (normalizePath(filename) !== page) return undefined;
      const [, head, body] = PARTS.exec(html);
      return hide(insertTags(read(), head, body));
    },
  };
  const whole = {
    name: 'create-react-app:whole-page',
    enforce: 'pre',
    transformIndexHtml: { order: 'post', handler: unhide },
  };
  return [entry, around, whole];
}

/** Answer with Vite's overlay on an empty page; its own has a script that the policy forbids. */
function showError(logger, error, res) {
  const heading = `Internal server error: ${error.message}`;
  logger.error(buildErrorMessage(error, [heading]), { error });
  const { message, stack, id, frame, loc } = error;
  const told = JSON.stringify({ message, stack, id, frame, loc });
  const src = `/@id/${ERROR.replace('\0', '__x00__')}`;
  res.writeHead(500, { 'Content-Type': 'text/html; charset=utf-8' });
  res.end(`<!doctype html>
<title>500 Internal Server Error</title>
<script type="application/json" id="error">${told.replaceAll('<', '\\u003c')}</script>
<script type="module" src="${src}"></script>
`);
}

/**
 * "Referencing Environment Variables in the HTML", and "Using the Public Folder": an unknown name
 * stays as it is written.
 */
function fillIn(html, { env, pageEnv }, warn) {
  const values = {
    ...pageEnv,
    WDS_SOCKET_HOST: env.WDS_SOCKET_HOST,
    WDS_SOCKET_PATH: env.WDS_SOCKET_PATH,
    WDS_SOCKET_PORT: env.WDS_SOCKET_PORT,
    FAST_REFRESH: env.FAST_REFRESH !== 'false',
  };
  return html.replace(
    /%(NODE_ENV|PUBLIC_URL|REACT_APP_\w+|WDS_SOCKET_(?:HOST|PATH|PORT)|FAST_REFRESH)%/g,
    (text, name) => {
      if (Object.hasOwn(values, name)) return String(values[name]);
      warn(
        `public/index.html has ${text}, but ${name} is not set: set it in .env or in the ` +
          'environment.',
      );
      return text;
    },
  );
}

/**
 * Put tags into a page where html-webpack-plugin put them: at the ends of its head and body.
 *
 * @param {string} html
 * @param {string} head
 * @param {string} body
 * @returns {string}
 */
export function insertTags(html, head, body) {
  const headed = insert(html, head, [
    [find(html, '</head\\s*>'), 0],
    [find(html, '<body\\b[^>]*>'), 0],
    [find(html, '<html\\b[^>]*>'), 1],
    [find(html, '<!doctype[^>]*>'), 1],
    [{ index: 0, length: 0 }, 0],
  ]);
  if (!body.trim()) return headed;
  return insert(headed, body, [
    [find(headed, '</body\\s*>'), 0],
    [find(headed, '</html\\s*>'), 0],
    [{ index: headed.length, length: 0 }, 0],
  ]);
}

function insert(html, tags, places) {
  const [{ index, length }, after] = places.find(([place]) => place);
  const at = index + after * length;
  const [before, rest] = [html.slice(0, at), html.slice(at)];
  const [, indent] = /(?:^|\n)([ \t]*)$/.exec(before) ?? [];
  if (indent === undefined) return before + tags.trim() + rest;
  return `${before}  ${tags.trim()}\n${indent}${rest}`;
}

/** Keep from Vite, which puts tags beside others, what only looks like one. */
function hide(html) {
  return html.replace(new RegExp(NO_TAGS, 'gi'), (text) =>
    /<\/?(head|body|html)\b/i.test(text)
      ? `<!--hidden:${Buffer.from(text).toString('base64')}-->`
      : text,
  );
}

function unhide(html) {
  return html.replace(/<!--hidden:([\w+/=]+)-->/g, (_, text) =>
    Buffer.from(text, 'base64').toString(),
  );
}

/** Find a tag, but not in a comment or a script. */
function find(html, tag) {
  for (const found of html.matchAll(new RegExp(`${NO_TAGS}|(${tag})`, 'gi'))) {
    if (found[2]) return { index: found.index, length: found[0].length };
  }
  return undefined;
}

/** Take PUBLIC_URL off an address; undefined for one outside of it. */
function urlInPage(url, publicUrl) {
  if (!url.startsWith(publicUrl)) return undefined;
  const rest = url.slice(publicUrl.length);
  return rest.startsWith('/') ? rest : undefined;
}

/**
 * Tell what Vite may serve: src/, public/, packages, its own modules, and what these import.
 * Otherwise it would serve any file of the project, and take a route /package for its JSON.
 */
function isFileOfPage({ config, environments }, url) {
  const pathname = decodePath(url);
  if (pathname === '/index.html') return false;
  if (isFile(path.join(config.publicDir, pathname))) return true;
  if (pathname.startsWith('/node_modules/')) return true;
  const graph = environments.client.moduleGraph;
  const isImported = (module) => module?.importers.size > 0;
  if (pathname.startsWith('/@id/')) {
    const id = pathname.slice('/@id/'.length);
    return id.startsWith('__x00__') || isImported(graph.getModuleById(id));
  }
  const isAnywhere = pathname.startsWith('/@fs/');
  if (!isAnywhere && /^\/(@|__)/.test(pathname)) return true;
  const named = isAnywhere
    ? path.resolve(pathname.slice(process.platform === 'win32' ? 5 : 4))
    : path.join(config.root, pathname);
  // A link in src/ may lead to any file.
  const file = realPath(named);
  const place = normalizePath(path.relative(realPath(config.root), file));
  if (/^(src|public|node_modules|\.\.)\//.test(place)) return true;
  const modules = graph.getModulesByFile(normalizePath(file)) ?? [];
  return [...modules].some(isImported);
}

function realPath(file) {
  try {
    return fs.realpathSync(file);
  } catch {
    return file;
  }
}

function isFile(file) {
  try {
    return fs.statSync(file).isFile();
  } catch {
    // Also a name that no file can have.
    return false;
  }
}

/** Find out which path a file server would look for, whatever its spelling. */
function decodePath(url) {
  const [pathname] = url.split(/[?#]/);
  try {
    // Windows, and the URLs of the web, take both for a slash.
    const decoded = decodeURIComponent(pathname).replaceAll('\\', '/');
    return path.posix.normalize(decoded);
  } catch {
    return pathname;
  }
}
