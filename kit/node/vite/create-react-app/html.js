import fs from 'node:fs';
import path from 'node:path';
import { normalizePath } from 'vite';
import { problem } from '../../lib/project.js';
import { isForIndex, isNavigation } from '../requests.js';

const INDEX = /\/index\.html$/;

/**
 * Let public/index.html be the page, start src/index.js in it, and serve it to every navigation.
 *
 * @param {import('./index.js').App} app
 * @returns {import('vite').Plugin}
 */
export function publicIndexHtml(app) {
  let source;
  let page;
  let logger;
  return {
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
    },
    resolveId: {
      filter: { id: INDEX },
      handler: (id) => (id === page ? page : undefined),
    },
    load: {
      filter: { id: INDEX },
      handler: (id) =>
        id === page ? fs.readFileSync(source, 'utf8') : undefined,
    },
    transformIndexHtml: {
      order: 'pre',
      handler: (html) => ({
        html: fillIn(html, app.pageEnv, (text) => logger.warnOnce(text)),
        tags: [
          {
            tag: 'script',
            attrs: { type: 'module', src: app.entry },
            injectTo: 'body',
          },
        ],
      }),
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
              const html = fs.readFileSync(source, 'utf8');
              const body = await server.transformIndexHtml('/', html);
              res.setHeader('Content-Type', 'text/html; charset=utf-8');
              res.setHeader('Cache-Control', 'no-cache');
              res.end(body);
            } catch (error) {
              next(error);
            }
          });
        };
      },
    },
  };
}

/** "Referencing Environment Variables in the HTML", and "Using the Public Folder". */
function fillIn(html, pageEnv, warn) {
  return html.replace(
    /%(NODE_ENV|PUBLIC_URL|REACT_APP_\w+)%/g,
    (text, name) => {
      if (name in pageEnv) return pageEnv[name];
      warn(
        `public/index.html has ${text}, but ${name} is not set: set it in .env or in the ` +
          'environment.',
      );
      return '';
    },
  );
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
  if (/^\/(src|node_modules)\//.test(pathname)) return true;
  const graph = environments.client.moduleGraph;
  const isImported = (module) => module?.importers.size > 0;
  if (pathname.startsWith('/@id/')) {
    const id = pathname.slice('/@id/'.length);
    return id.startsWith('__x00__') || isImported(graph.getModuleById(id));
  }
  const isAnywhere = pathname.startsWith('/@fs/');
  if (!isAnywhere && /^\/(@|__)/.test(pathname)) return true;
  const file = isAnywhere
    ? path.resolve(pathname.slice(process.platform === 'win32' ? 5 : 4))
    : path.join(config.root, pathname);
  const place = normalizePath(path.relative(config.root, file));
  if (/^(src|public|node_modules|\.\.)\//.test(place)) return true;
  const modules = graph.getModulesByFile(normalizePath(file)) ?? [];
  return [...modules].some(isImported);
}

function isFile(file) {
  return fs.statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** Find out which path a file server would look for, whatever its spelling. */
function decodePath(url) {
  const [pathname] = url.split(/[?#]/);
  try {
    return path.posix.normalize(decodeURIComponent(pathname));
  } catch {
    return pathname;
  }
}
