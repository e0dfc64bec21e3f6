import { createHash } from 'node:crypto';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { normalizePath } from 'vite';
import { exportsOfStyles } from './style-exports.js';
import { placesOfStyles } from './style-places.js';

/**
 * Let styles name files and classes as they did in webpack.
 *
 * @param {import('./index.js').App} app
 * @returns {import('vite').Plugin[]}
 */
export function styles(app) {
  return [
    classNames(app),
    placesOfStyles(app),
    deprecationsOfSass(app),
    ...exportsOfStyles(app),
  ];
}

/** "Adding a CSS Modules Stylesheet": [filename]_[class]__[hash]. */
function classNames(app) {
  return {
    name: 'create-react-app:class-names',
    config: () => ({
      css: {
        modules: {
          generateScopedName: (name, file) => scopedName(app.root, file, name),
        },
      },
    }),
  };
}

/**
 * Name a class as react-scripts did, in signs that neither HTML, CSS nor a minifier misreads.
 *
 * @param {string} root the project's folder
 * @param {string} file a CSS Module
 * @param {string} name as it stands in a selector, perhaps with escapes
 * @returns {string}
 */
export function scopedName(root, file, name) {
  const [module] = file.split('?');
  const place = normalizePath(path.relative(root, module));
  const local = unescapeCss(name);
  const hash = createHash('sha256').update(place + local);
  const own = /index\.module\.(css|scss|sass)$/.test(module)
    ? path.basename(path.dirname(module))
    : path.basename(module, path.extname(module));
  return `${own}_${local}__${hash.digest('base64url').slice(0, 5)}`
    .replace('.module_', '_')
    .replace(/\./g, '_')
    .replace(/[^\w\u00A1-\uFFFF-]/g, '-')
    .replace(/^(-?\d|--)/, '_$1');
}

function unescapeCss(name) {
  return name.replace(/\\(?:([\da-f]{1,6})\s?|([\s\S]))/gi, (_, code, sign) =>
    code ? String.fromCodePoint(Number.parseInt(code, 16)) : sign,
  );
}

/** Tell of each kind of what Sass deprecates once, and only where the app's own files have it. */
function deprecationsOfSass(app) {
  const told = new Set();
  let logger;
  const warn = (message, { deprecation, deprecationType, span, stack }) => {
    // It counts what it did not repeat.
    if (!deprecation && !span && !stack) return;
    if (!deprecation) return logger.info(`[sass] ${message}\n${stack ?? ''}`);
    const kind = deprecationType?.id ?? message;
    const file = span?.url?.protocol === 'file:' ? fileURLToPath(span.url) : '';
    if (told.has(kind) || /[\\/]node_modules[\\/]/.test(file)) return;
    told.add(kind);
    const name = file && normalizePath(path.relative(app.root, file));
    const place = name && `${name}:${span.start.line + 1}: `;
    const [first] = message.split('\n');
    logger.info(`[sass] ${place}${first} (${kind}, told once)`);
  };
  const options = (given) => ({ logger: { warn }, ...given });
  return {
    name: 'create-react-app:deprecations-of-sass',
    config: ({ css }) => ({
      css: {
        preprocessorOptions: {
          scss: options(css?.preprocessorOptions?.scss),
          sass: options(css?.preprocessorOptions?.sass),
        },
      },
    }),
    configResolved(config) {
      logger = config.logger;
    },
  };
}
