import fs from 'node:fs';
import path from 'node:path';
import { normalizePath } from 'vite';
import { readBaseUrl } from './absolute-imports.js';

const STYLE = /\.(css|scss|sass)(\?|$)/;
const SASS = /\.(scss|sass)(\?|$)/;
// What another tool than the style's makes of it.
const NO_STYLE = /[?&](url|raw|inline|html-proxy|commonjs-proxy|worker)\b/;
const QUOTED = /"(?:\\[\s\S]|[^"\\])*"|'(?:\\[\s\S]|[^'\\])*'/.source;
const ADDRESS = new RegExp(
  '/\\*[\\s\\S]*?\\*/|' +
    `(@import\\s+)?\\burl\\(\\s*(${QUOTED}|(?:\\\\.|[^\\s"'()\\\\])+)\\s*\\)|` +
    `@import\\s+(${QUOTED})|${QUOTED}`,
  'gi',
);

/**
 * Find files where webpack found them: url(), @import and composes look in packages and below
 * baseUrl too, and a file that is nowhere is an error.
 *
 * @param {import('./index.js').App} app
 * @returns {import('vite').Plugin}
 */
export function placesOfStyles(app) {
  // Which Sass files another one has loaded.
  const loads = new Map();
  let base;
  let config;
  return {
    name: 'create-react-app:places-of-styles',
    configResolved(resolved) {
      config = resolved;
      base = readBaseUrl(app);
      lookFurther(config, app, base, loads);
      keepQuiet(config.logger);
    },
    transform: {
      filter: {
        id: { include: STYLE, exclude: NO_STYLE },
        code: /url\(|@import/i,
      },
      handler(css, id) {
        if (app.isTest) return undefined;
        const [file] = id.split('?');
        const find = (url) => findFile(url, file, { app, base, loads, config });
        const parts = [];
        let end = 0;
        for (const found of css.matchAll(ADDRESS)) {
          const written = found[2] ?? found[3];
          const url = written && unquote(written);
          if (!url || !isOfFile(url)) continue;
          const isImport = !found[2] || found[1] !== undefined;
          const place = isImport ? undefined : find(url);
          if (!place) {
            const style = normalizePath(path.relative(app.root, file));
            if (!url.startsWith('/')) {
              this.error(
                `${style} names ${url}, which is not there. ` +
                  'A file in public/ is named from its top, for example url(/logo.png).',
              );
            }
            if (app.isBuild) {
              config.logger.warnOnce(
                `${style} names ${url}, which is not in public/: it is left as it is.`,
              );
            }
            continue;
          }
          parts.push(
            css.slice(end, found.index),
            `url("${address(this, place, config)}")`,
          );
          end = found.index + found[0].length;
        }
        if (end === 0) return undefined;
        return { code: parts.join('') + css.slice(end), map: null };
      },
    },
  };
}

function unquote(text) {
  const isQuoted = /^["']/.test(text);
  return (isQuoted ? text.slice(1, -1) : text).replace(/\\(\W)/g, '$1').trim();
}

/** Tell whether an address may be that of a file, and Vite has not found it. */
function isOfFile(url) {
  return !/^(#|\/\/|[a-z][a-z\d+.-]*:|__VITE_|%23)|^[\w-]+\(/i.test(url);
}

/**
 * Look for the file of a url() as resolve-url-loader and css-loader did: beside the files that
 * the style was made of, in src/ if it begins with a slash, or below baseUrl.
 */
function findFile(url, file, { app, base, loads, config }) {
  const [name] = url.split(/[?#]/);
  const decoded = decode(name);
  const folders = [];
  if (SASS.test(file)) {
    if (decoded.startsWith('/')) {
      if (fs.existsSync(path.join(config.publicDir, decoded))) return undefined;
      folders.push(path.join(app.root, 'src'));
    } else {
      folders.push(...loadedBy(file, loads).map((it) => path.dirname(it)));
    }
  }
  if (!/^[./]/.test(decoded)) {
    folders.push(...foldersOfPackages(file), base);
  }
  const found = folders
    .filter(Boolean)
    .map((folder) => path.join(folder, decoded.replace(/^~/, '')))
    .find((place) => fs.statSync(place, { throwIfNoEntry: false })?.isFile());
  return found && { file: found, rest: url.slice(name.length) };
}

function decode(name) {
  try {
    return decodeURI(name);
  } catch {
    return name;
  }
}

function foldersOfPackages(file) {
  const above = path.dirname(file);
  const here = path.join(above, 'node_modules');
  return above === file ? [] : [here, ...foldersOfPackages(above)];
}

function loadedBy(file, loads) {
  const files = new Set([normalizePath(file)]);
  // A set goes on with what is added while it is walked.
  for (const it of files)
    for (const next of loads.get(it) ?? []) files.add(next);
  return [...files];
}

/** Return the address of a file that is named in a style. */
function address(context, { file, rest }, { command, root }) {
  if (command === 'build') {
    const id = context.emitFile({
      type: 'asset',
      name: path.basename(file),
      originalFileName: normalizePath(path.relative(root, file)),
      source: fs.readFileSync(file),
    });
    return `__VITE_ASSET__${id}__${rest}`;
  }
  context.addWatchFile(file);
  const place = normalizePath(path.relative(root, file));
  const url = place.startsWith('..')
    ? `/@fs/${normalizePath(file)}`
    : `/${place}`;
  return encodeURI(url.replace('/@fs//', '/@fs/')) + rest;
}

/** Let Vite's resolvers of styles, which ask no plugin, look where webpack and Sass looked. */
function lookFurther(config, app, base, loads) {
  const { createResolver } = config;
  config.createResolver = (options) => {
    const resolve = createResolver.call(config, options);
    const isSass = options?.extensions?.includes('.scss');
    const folders = isSass ? [...foldersOfSass(app), base] : [base];
    return async (id, importer, ...rest) => {
      const name = id.replace(/^~(?=[\w@])/, '');
      let found = await resolve(name, importer, ...rest);
      if (/^[\w@-]/.test(name)) {
        for (const folder of folders.filter(Boolean)) {
          const place = normalizePath(path.join(folder, name));
          found ||= await resolve(place, importer, ...rest);
        }
      }
      if (found && isSass && importer) {
        const from = normalizePath(importer);
        if (!loads.has(from)) loads.set(from, new Set());
        loads.get(from).add(normalizePath(found));
      }
      return found;
    };
  };
}

/** sass-loader looked in the project's folder, and where SASS_PATH says. */
function foldersOfSass({ root, env }) {
  const more = (env.SASS_PATH ?? '').split(path.delimiter).filter(Boolean);
  return [root, ...more.map((folder) => path.resolve(root, folder))];
}

/** What Vite does not find is found here, or an error. */
function keepQuiet(logger) {
  const { warnOnce } = logger;
  logger.warnOnce = (message, options) => {
    if (!/referenced in .* didn't resolve at build time/.test(message))
      warnOnce(message, options);
  };
}
