import fs from 'node:fs';
import path from 'node:path';
import { isFileLoadingAllowed, normalizePath } from 'vite';
import { answerProblem, isFromPage } from './requests.js';

/**
 * Keep from Vite what no page asks of it: an editor for another website, files that it must not
 * serve, and addresses on which it fails. What is left without its answer, the API is asked.
 *
 * @returns {import('vite').Plugin[]} to be listed after what answers before Vite
 */
export default function guard() {
  /** @type {WeakMap<object, string>} the address by which Vite was asked */
  const asked = new WeakMap();
  const requests = {
    name: 'guard:requests',
    apply: 'serve',
    configureServer: {
      order: 'post',
      handler(server) {
        const { middlewares, config } = server;
        server.ws.on('connection', (socket) => surviveMessages(socket, config));
        const editor = `${config.base}__open-in-editor`;
        middlewares.use(editor, keepEditorForPage);
        middlewares.use(function keepFromVite(req, _res, next) {
          if (!mayBeServed(config, req.url)) req.url = '/';
          asked.set(req, req.url);
          next();
        });
      },
    },
  };
  const errors = {
    name: 'guard:errors',
    apply: 'serve',
    configureServer: {
      // First, so that those are asked after a failure who come after Vite.
      order: 'pre',
      handler: (server) => () => {
        server.middlewares.use(function forgetError(error, req, _res, next) {
          const url = asked.get(req);
          const isOfPage = url ? isModule(server, url) : Promise.resolve(true);
          isOfPage.then((isTold) => next(isTold ? error : undefined), next);
        });
      },
    },
  };
  return [errors, requests];
}

/** Any program on this machine may connect, and send what no listener of Vite expects. */
function surviveMessages(socket, { logger }) {
  const { emit } = socket;
  socket.emit = (event, ...args) => {
    if (event === 'message' && isInvocation(args[0])) return true;
    try {
      return emit.call(socket, event, ...args);
    } catch (error) {
      logger.error(error.stack, { timestamp: true, error });
      return true;
    }
  };
}

/** No page calls functions of Vite, which ends where such a call is malformed. */
function isInvocation(message) {
  try {
    return JSON.parse(String(message)).event === 'vite:invoke';
  } catch {
    return false;
  }
}

function keepEditorForPage(req, res, next) {
  if (isFromPage(req)) return next();
  answerProblem(req, res, 403, 'Only the page itself may open the editor.');
}

/** Tell whether an address can be that of a file, and of one that Vite is allowed to serve. */
function mayBeServed(config, url) {
  const { base, root, publicDir } = config;
  try {
    const [encoded] = url.replace(base, '/').split(/[?#]/);
    const pathname = decodeURIComponent(encoded);
    const inPublic = path.join(publicDir, pathname);
    const isPublic = publicDir && inPublic.startsWith(publicDir + path.sep);
    if (isPublic && find(inPublic)?.isFile()) return true;
    const file = fileOf(root, pathname);
    if (!file) return true;
    const isLinked = find(file) && !/[\\/]node_modules[\\/]/.test(file);
    const place = isLinked ? fs.realpathSync(file) : file;
    return isFileLoadingAllowed(config, normalizePath(place));
  } catch {
    // Malformed, too long, or below what is a file.
    return false;
  }
}

function find(file) {
  return fs.statSync(file, { throwIfNoEntry: false });
}

/** Tell which file an address names; undefined for a module that has none. */
function fileOf(root, pathname) {
  const [, prefix, named] = /^\/(@fs|@id)\/(.*)$/s.exec(pathname) ?? [];
  if (!prefix) return path.join(root, pathname);
  const file = process.platform === 'win32' ? named : `/${named}`;
  if (prefix === '@fs') return path.resolve(file);
  return path.isAbsolute(named) ? path.resolve(named) : undefined;
}

/** Tell whether the page has a module of this address, or one of a file: its errors are told. */
async function isModule({ environments }, url) {
  try {
    const graph = environments.client.moduleGraph;
    const module = await graph.getModuleByUrl(decodeURI(url));
    return module?.importers.size > 0 || find(module.file).isFile();
  } catch {
    return false;
  }
}
