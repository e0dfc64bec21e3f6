import { createHash } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { normalizePath } from 'vite';
import { problem } from '../lib/project.js';

const RELOAD_ONCE = fileURLToPath(new URL('reload-once.js', import.meta.url));
const HASHED = 'static/';
// It caches index.html under this build's number, so it must not be there before it.
const WORKER = 'service-worker.js';
// Hidden, so that no server gives it away.
const RECORD = '.made-by-builds.json';
const A_WEEK = 7 * 24 * 60 * 60 * 1000;
// What is compressed already, such as a photo, would not get smaller.
const COMPRESSIBLE =
  /\.(css|html|ico|js|json|mjs|svg|ttf|txt|wasm|webmanifest|xml)$/;
const brotli = promisify(zlib.brotliCompress);
const gzip = promisify(zlib.gzip);

/**
 * Make of build/ a release that breaks no page that is open, and no server that runs.
 *
 * Files that this build replaces stay for a week. All files that have names of their own are
 * there, also compressed, before index.html names them.
 *
 * @returns {import('vite').Plugin}
 */
export default function release() {
  let base;
  let folder;
  let publicDir;
  let replaced;
  let page;
  let worker;
  return {
    name: 'release',
    apply: 'build',
    enforce: 'post',
    config: () => ({
      build: {
        emptyOutDir: false,
        // Browsers know <link rel="modulepreload">; others load a little later.
        modulePreload: { polyfill: false },
      },
    }),
    configResolved(config) {
      base = config.base;
      folder = path.resolve(config.root, config.build.outDir);
      publicDir = config.publicDir;
      assertIsFolderOfBuild(folder, config.root);
    },
    transformIndexHtml: {
      order: 'pre',
      handler: () => [
        {
          tag: 'script',
          attrs: { type: 'module', src: `/@fs/${normalizePath(RELOAD_ONCE)}` },
        },
      ],
    },
    async generateBundle(_options, bundle) {
      replaced = await readManifest(folder);
      page = bundle['index.html'].source;
      delete bundle['index.html'];
      worker = bundle[WORKER]?.source;
      delete bundle[WORKER];
    },
    async writeBundle(_options, bundle) {
      const names = [...Object.keys(bundle), ...(await listFiles(publicDir))];
      const made = await readRecord(folder);
      const now = new Set(worker === undefined ? names : [...names, WORKER]);
      const kept = await removeOld(made, now, folder, replaced);
      for (const name of names) {
        const file = path.join(folder, name);
        if (COMPRESSIBLE.test(name))
          await compress(file, await fs.readFile(file));
      }
      const index = path.join(folder, 'index.html');
      const html = addIntegrity(page, base, bundle);
      await compress(index, Buffer.from(html));
      await replace(index, html);
      if (worker !== undefined) {
        const file = path.join(folder, WORKER);
        await compress(file, Buffer.from(worker));
        await replace(file, worker);
        names.push(WORKER);
      }
      await writeRecord(folder, [...names, 'index.html', ...kept]);
    },
  };
}

/** List the hashed files of the build that is in a folder. */
async function readManifest(folder) {
  const file = path.join(folder, 'asset-manifest.json');
  try {
    const { files } = JSON.parse(await fs.readFile(file, 'utf8'));
    return Object.values(files).map((url) => url.slice(url.indexOf(HASHED)));
  } catch {
    return [];
  }
}

/** Refuse to fill a folder that has the project in it. */
function assertIsFolderOfBuild(folder, root) {
  const place = path.relative(folder, root);
  if (place.startsWith('..') || path.isAbsolute(place)) return;
  throw problem(
    `The folder of the build is ${folder}, which has the project in it. ` +
      'Set BUILD_PATH (or build.outDir) to a folder of its own, for example build.',
  );
}

/** List the files that builds have made in a folder; others in it are not ours to delete. */
async function readRecord(folder) {
  try {
    return JSON.parse(await fs.readFile(path.join(folder, RECORD), 'utf8'));
  } catch {
    return [];
  }
}

async function writeRecord(folder, names) {
  const made = [...new Set(names)].sort();
  await replace(path.join(folder, RECORD), JSON.stringify(made, null, 1));
}

/**
 * Remove what only earlier builds have made; what pages that are open may still ask for stays
 * for a week. Return what stays.
 */
async function removeOld(made, names, folder, replaced) {
  const now = new Date();
  const kept = [];
  for (const name of made.filter((name) => !names.has(name))) {
    if (name === 'index.html') continue;
    const variants = [name, `${name}.br`, `${name}.gz`];
    const files = variants.map((variant) => path.join(folder, variant));
    const isAsked = name.startsWith(HASHED) && !name.endsWith('.map');
    const status = await fs.stat(files[0]).catch(() => undefined);
    if (isAsked && status && replaced.includes(name)) {
      for (const file of files) await fs.utimes(file, now, now).catch(() => {});
      kept.push(name);
    } else if (isAsked && status && now - status.mtime <= A_WEEK) {
      kept.push(name);
    } else {
      for (const file of files) await fs.rm(file, { force: true });
    }
  }
  return kept;
}

/** Let the page refuse scripts and styles that are not those of its build. */
function addIntegrity(html, base, bundle) {
  return html.replace(
    /<(?:script|link) [^>]*?(?:src|href)="([^"]+)"/g,
    (tag, url) => {
      const file = url.startsWith(base) && bundle[url.slice(base.length)];
      if (!file) return tag;
      const hash = createHash('sha384').update(file.code ?? file.source);
      return `${tag} integrity="sha384-${hash.digest('base64')}"`;
    },
  );
}

/** Write a file's .br and .gz beside it, if they are smaller. */
async function compress(file, content) {
  const variants = [
    [`${file}.br`, await brotli(content)],
    [`${file}.gz`, await gzip(content, { level: 9 })],
  ];
  for (const [variant, compressed] of variants) {
    if (compressed.length < content.length) await replace(variant, compressed);
    else await fs.rm(variant, { force: true });
  }
}

/** Write a file at once: whoever reads it meanwhile gets all of the old or the new one. */
async function replace(file, content) {
  const next = `${file}.next`;
  await fs.writeFile(next, content);
  await fs.rename(next, file);
}

async function listFiles(folder) {
  const entries = await fs.readdir(folder, {
    recursive: true,
    withFileTypes: true,
  });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      normalizePath(
        path.relative(folder, path.join(entry.parentPath, entry.name)),
      ),
    );
}
