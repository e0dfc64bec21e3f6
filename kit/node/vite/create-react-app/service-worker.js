import { createHash } from 'node:crypto';
import path from 'node:path';
import { build } from 'vite';
import { defineProcessEnv } from './env.js';
import { imports } from './imports.js';

const NAME = 'service-worker.js';
const SOURCES = ['mjs', 'js', 'ts', 'tsx', 'jsx'];
const NOT_CACHED = /\.map$|asset-manifest\.json$|LICENSE/;
const HASHED = /^static\/.*\.[\w-]{8}\./;
const MOST_CACHED = 5 * 1024 * 1024;
const GOODBYE = `// An app that was here before may have left a service worker, which would go on showing that app.
// Browsers look here for a newer one: this one ends, and lets open pages load what is here now.
self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => {
  event.waitUntil(
    self.registration
      .unregister()
      .then(() => self.clients.matchAll({ type: 'window' }))
      .then((pages) => Promise.all(pages.map((page) => page.navigate(page.url)))),
  );
});
`;

/**
 * "Making a Progressive Web App": bundle src/service-worker.js with the list of what to cache.
 *
 * Without one, and in development, a worker that an earlier app has left at this address ends.
 *
 * @param {import('./index.js').App} app
 * @returns {import('vite').Plugin}
 */
export function serviceWorker(app) {
  let config;
  return {
    name: 'create-react-app:service-worker',
    // After Vite has made index.html of the page.
    enforce: 'post',
    configResolved(resolved) {
      config = resolved;
    },
    configureServer(server) {
      if (!app.isDevelopment) return;
      server.middlewares.use(function endServiceWorker(req, res, next) {
        if (!isForWorker(req, app.publicUrl)) return next();
        if (app.has('public', NAME)) return next();
        res.setHeader('Content-Type', 'text/javascript; charset=utf-8');
        res.setHeader('Cache-Control', 'no-cache');
        res.end(GOODBYE);
      });
    },
    async generateBundle(_options, bundle) {
      const ending = SOURCES.find((it) =>
        app.has('src', `service-worker.${it}`),
      );
      if (ending) {
        const source = path.join(app.root, 'src', `service-worker.${ending}`);
        const list = listToCache(bundle, app.publicUrl, (text) =>
          this.warn(text),
        );
        const files = await bundleWorker(app, config, source, list);
        for (const { fileName, code, source } of files) {
          this.emitFile({ type: 'asset', fileName, source: code ?? source });
        }
      } else if (!app.has('public', NAME)) {
        this.emitFile({ type: 'asset', fileName: NAME, source: GOODBYE });
      }
    },
  };
}

function isForWorker({ method, url }, publicUrl) {
  if (!/^(GET|HEAD)$/.test(method)) return false;
  const [pathname] = url.split('?');
  // The app before may have been at the root.
  return pathname === `/${NAME}` || pathname === `${publicUrl}/${NAME}`;
}

/**
 * List the files of a build for Workbox, which fetches anew what has another revision.
 *
 * @param {import('vite').Rolldown.OutputBundle} bundle
 * @param {string} publicUrl
 * @param {(text: string) => void} warn
 * @returns {{ url: string, revision: string | null }[]}
 */
export function listToCache(bundle, publicUrl, warn) {
  const list = [];
  for (const { fileName, code, source } of Object.values(bundle)) {
    if (NOT_CACHED.test(fileName)) continue;
    const content = Buffer.from(code ?? source);
    if (content.length > MOST_CACHED) {
      warn(
        `${fileName} is larger than 5 MB: the service worker does not cache it.`,
      );
      continue;
    }
    const hash = createHash('sha256').update(content).digest('hex');
    const revision = HASHED.test(fileName) ? null : hash.slice(0, 32);
    list.push({ url: `${publicUrl}/${fileName}`, revision });
  }
  return list.sort((a, b) => (a.url < b.url ? -1 : 1));
}

async function bundleWorker(app, config, source, list) {
  const { target, sourcemap, minify } = config.build;
  const { output } = await build({
    root: app.root,
    configFile: false,
    envDir: false,
    publicDir: false,
    logLevel: 'warn',
    resolve: { alias: config.resolve.alias },
    plugins: imports(app),
    define: {
      ...defineProcessEnv(app.pageEnv),
      'self.__WB_MANIFEST': JSON.stringify(list),
    },
    build: {
      write: false,
      target,
      sourcemap,
      minify,
      modulePreload: false,
      rolldownOptions: {
        input: source,
        // A part that is loaded later is in it too.
        checks: { emptyImportMeta: false },
        output: { format: 'iife', entryFileNames: NAME, codeSplitting: false },
      },
    },
  });
  return output;
}
