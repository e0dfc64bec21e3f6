import { SourceMap } from 'node:module';
import { codeFrame } from '../code-frame.js';

const CLIENT = '\0create-react-app:overlay';
const IS_CLIENT = /^\0create-react-app:overlay$/;
const PLACE = /\(?(https?:\/\/[^\s()]+?):(\d+):(\d+)\)?$/;
const SCRIPT = `
const hot = import.meta.hot;
const report = (error) =>
  error && hot.send('cra:error', { message: String(error), stack: error.stack ?? '' });
addEventListener('error', (event) => report(event.error));
addEventListener('unhandledrejection', (event) => report(event.reason));
hot.on('cra:overlay', (error) => {
  // The first error is the cause, and one of the API says more.
  if (document.querySelector('vite-error-overlay')) return;
  const Overlay = customElements.get('vite-error-overlay');
  document.body.append(new Overlay(error));
});
`;

/**
 * Show errors that the page throws in Vite's overlay, as create-react-app showed them in its own.
 *
 * @param {import('./index.js').App} app
 * @returns {import('vite').Plugin}
 */
export function runtimeErrors(app) {
  return {
    name: 'create-react-app:runtime-errors',
    apply: 'serve',
    resolveId: { filter: { id: IS_CLIENT }, handler: () => CLIENT },
    load: { filter: { id: IS_CLIENT }, handler: () => SCRIPT },
    transformIndexHtml(_html, { server }) {
      const hmr = server?.config.server.hmr;
      if (!server || hmr === false || hmr?.overlay === false) return undefined;
      const src = `/@id/${CLIENT.replace('\0', '__x00__')}`;
      const attrs = { type: 'module', src };
      return [{ tag: 'script', attrs, injectTo: 'head-prepend' }];
    },
    configureServer(server) {
      if (!app.isDevelopment) return;
      server.ws.on('cra:error', async (error, client) => {
        const { message, stack } = error ?? {};
        // Any program on this machine may connect.
        if (typeof message !== 'string' || typeof stack !== 'string') return;
        client.send('cra:overlay', await describe(server, message, stack));
      });
    },
  };
}

/** Turn the browser's stack into places in the source, and show the first of them. */
async function describe(server, message, stack) {
  const frames = [];
  for (const text of stack.split('\n')) {
    const place = await original(server, PLACE.exec(text));
    if (place)
      frames.push({ ...place, name: /at (\S+) \(|^(.+?)@/.exec(text)?.[1] });
  }
  const [loc] = frames;
  const shown = frames.map(
    ({ name, file, line, column }) =>
      `    at ${name ?? 'this file'} (${file}:${line}:${column})`,
  );
  return {
    plugin: 'react',
    message,
    stack: shown.join('\n'),
    ...(loc && { id: loc.file, loc, frame: codeFrame(loc) }),
  };
}

/** Find a place of the project's own code; undefined for one in a package. */
async function original(server, found) {
  if (!URL.canParse(found?.[1])) return undefined;
  const { pathname, search } = new URL(found[1]);
  const graph = server.environments.client.moduleGraph;
  // A plugin may refuse to resolve an address.
  const module = await graph
    .getModuleByUrl(pathname + search)
    .catch(() => undefined);
  const map = module?.transformResult?.map;
  if (!map?.mappings || module.file.includes('/node_modules/'))
    return undefined;
  const [line, column] = found.slice(2).map(Number);
  const entry = new SourceMap(map).findEntry(line - 1, column - 1);
  if (entry.originalLine === undefined) return undefined;
  return {
    file: module.file,
    line: entry.originalLine + 1,
    column: entry.originalColumn + 1,
  };
}
