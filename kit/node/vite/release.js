import { createHash } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { normalizePath } from 'vite';

const RELOAD_ONCE = fileURLToPath(new URL('reload-once.js', import.meta.url));
const HASHED = 'static/';
const A_WEEK = 7 * 24 * 60 * 60 * 1000;
// What is compressed already, such as a photo, would not get smaller.
const COMPRESSIBLE =
  /\.(css|html|ico|js|json|mjs|svg|ttf|txt|wasm|webmanifest|xml)$/;
const COMPRESSED = /\.(br|gz)$/;
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
    },
    async writeBundle(_options, bundle) {
      const names = [...Object.keys(bundle), ...(await listFiles(publicDir))];
      await removeAllBut(new Set([...names, 'index.html']), folder, replaced);
      for (const name of names) {
        const file = path.join(folder, name);
        if (COMPRESSIBLE.test(name))
          await compress(file, await fs.readFile(file));
      }
      const index = path.join(folder, 'index.html');
      const html = addIntegrity(page, base, bundle);
      await compress(index, Buffer.from(html));
      await replace(index, html);
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

/** Remove what is in no build, or was in one that was replaced a week ago. */
async function removeAllBut(names, folder, replaced) {
  const now = new Date();
  for (const file of await listFiles(folder)) {
    const name = file.replace(COMPRESSED, '');
    const place = path.join(folder, file);
    if (names.has(file) || names.has(name)) continue;
    if (replaced.includes(name)) {
      await fs.utimes(place, now, now);
    } else if (
      !name.startsWith(HASHED) ||
      now - (await fs.stat(place)).mtime > A_WEEK
    ) {
      await fs.rm(place);
    }
  }
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
