import fs from 'node:fs';
import path from 'node:path';
import { loadEnv, normalizePath, transformWithOxc } from 'vite';
import { portIsTaken } from '../scripts/lib/ports.mjs';
import { readPort } from '../scripts/lib/project.mjs';

const ENTRY = '/src/index.js';

/**
 * Give Vite the conventions of create-react-app: its layout, settings, ports and outputs.
 *
 * @returns {import('vite').Plugin[]} to be listed first in vite.config.js
 */
export default function createReactApp() {
  return [settings(), jsxInJavaScript(), publicIndexHtml()];
}

/** Read PORT, HOST, BROWSER and REACT_APP_*, build into build/, run tests as Jest did. */
function settings() {
  return {
    name: 'create-react-app:settings',
    config(config, { command, mode }) {
      const root = path.resolve(config.root ?? process.cwd());
      const env = { ...loadEnv(mode, root, ''), ...process.env };
      return {
        envPrefix: 'REACT_APP_',
        define: processEnv(env),
        // What the command line or vite.config.js says comes last, and wins.
        server: {
          port: readPort('PORT', env.PORT, 3000),
          strictPort: true,
          host: env.HOST,
          open: isDevServer(command, mode) && env.BROWSER !== 'none',
          // Flask decides who may read its answers; Vite would answer every OPTIONS itself.
          cors: false,
          ...config.server,
        },
        build: {
          outDir: config.build?.outDir ?? 'build',
          // Images below 10 kB become part of the code, except SVG.
          assetsInlineLimit: (file, content) =>
            !file.endsWith('.svg') && content.length < 10_000,
          rolldownOptions: {
            output: {
              entryFileNames: 'static/js/main.[hash].js',
              chunkFileNames: 'static/js/[name].[hash].chunk.js',
              assetFileNames: ({ names }) =>
                names[0]?.endsWith('.css')
                  ? 'static/css/[name].[hash][extname]'
                  : 'static/media/[name].[hash][extname]',
            },
          },
        },
        test: {
          environment: 'jsdom',
          globals: true,
          include: [
            'src/**/__tests__/**/*.{js,jsx,ts,tsx}',
            'src/**/*.{spec,test}.{js,jsx,ts,tsx}',
            'tests/**/*.test.mjs',
          ],
          setupFiles: ['src/setupTests.js'],
          watch: false,
        },
      };
    },
    configureServer(server) {
      const { listen } = server;
      server.listen = (...args) =>
        listen(...args).catch((error) => {
          if (!/^Port \d+ is already in use$/.test(error.message)) throw error;
          throw portIsTaken(server.config.server.port, 'set PORT.');
        });
    },
  };
}

/** List what the code may read of the environment: these names, and nothing else. */
function processEnv(env) {
  const names = Object.keys(env).filter((name) => /^REACT_APP_\w+$/.test(name));
  return Object.fromEntries(
    [['PUBLIC_URL', ''], ...names.map((name) => [name, env[name]])].map(
      ([name, value]) => [`process.env.${name}`, JSON.stringify(value)],
    ),
  );
}

/** Compile JSX in src/*.js too: Vite itself expects it only in .jsx and .tsx. */
function jsxInJavaScript() {
  let development;
  return {
    name: 'create-react-app:jsx-in-js',
    enforce: 'pre',
    config: () => ({
      optimizeDeps: { rolldownOptions: { moduleTypes: { '.js': 'jsx' } } },
    }),
    configResolved({ command, mode }) {
      development = isDevServer(command, mode);
    },
    transform(code, id) {
      const [file] = id.split('?');
      if (!/\/src\/.*\.js$/.test(file) || file.includes('/node_modules/')) {
        return;
      }
      return transformWithOxc(code, file, {
        lang: 'jsx',
        sourcemap: true,
        jsx: { runtime: 'automatic', development, refresh: development },
      });
    },
  };
}

/** Let public/index.html be the page, start src/index.js in it, and serve it to every navigation. */
function publicIndexHtml() {
  let source;
  let page;
  return {
    name: 'create-react-app:public-index-html',
    enforce: 'pre',
    config: () => ({
      appType: 'custom',
      optimizeDeps: { entries: [ENTRY.slice(1)] },
    }),
    configResolved(config) {
      source = path.join(config.publicDir, 'index.html');
      page = normalizePath(path.join(config.root, 'index.html'));
    },
    options: (options) => ({ ...options, input: page }),
    resolveId: (id) => (id === page ? page : undefined),
    load: (id) => (id === page ? fs.readFileSync(source, 'utf8') : undefined),
    transformIndexHtml: {
      order: 'pre',
      handler: (html) => ({
        html: html.replaceAll('%PUBLIC_URL%', ''),
        tags: [
          {
            tag: 'script',
            attrs: { type: 'module', src: ENTRY },
            injectTo: 'body',
          },
        ],
      }),
    },
    configureServer: {
      // Last, so that what other plugins add is asked before the page.
      order: 'post',
      handler(server) {
        server.watcher.on('change', (file) => {
          if (path.resolve(file) === source) {
            server.hot.send({ type: 'full-reload', path: '*' });
          }
        });
        server.middlewares.use(function keepToPageFiles(req, _res, next) {
          // Vite serves any file below its root; those who answer read originalUrl.
          if (!isFileOfPage(server, req.url)) req.url = '/';
          next();
        });
        return () => {
          server.middlewares.use(async function servePage(req, res, next) {
            if (!isForIndex(req) && !isNavigation(req)) return next();
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

/**
 * Tell whether a browser wants a document to show, and not data or a part of a page.
 *
 * That is the "destination" of the Fetch standard; clients that do not send it are judged by
 * Accept, as create-react-app's proxy did.
 *
 * @param {import('node:http').IncomingMessage} req
 * @returns {boolean}
 */
export function wantsDocument({ headers }) {
  const destination = headers['sec-fetch-dest'];
  return destination
    ? ['document', 'iframe', 'frame'].includes(destination)
    : /\btext\/html\b/.test(headers.accept ?? '');
}

/**
 * Tell whether a request is for the page unless a route of the API answers it: a GET or HEAD
 * that wants a document.
 *
 * @param {import('node:http').IncomingMessage} req
 * @returns {boolean}
 */
export function isNavigation(req) {
  return /^(GET|HEAD)$/.test(req.method) && wantsDocument(req);
}

/**
 * Tell whether a request is for the file public/index.html.
 *
 * @param {import('node:http').IncomingMessage} req
 * @returns {boolean}
 */
export function isForIndex({ method, originalUrl }) {
  return (
    /^(GET|HEAD)$/.test(method) && /^\/(index\.html)?([?#]|$)/.test(originalUrl)
  );
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

function isDevServer(command, mode) {
  return command === 'serve' && mode === 'development';
}
