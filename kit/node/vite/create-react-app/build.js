import fs from 'node:fs';
import path from 'node:path';
import { normalizePath } from 'vite';
import { problem } from '../../lib/project.js';
import { importInstalled } from './packages.js';

const CHUNK = 'static/js/[name].[hash].chunk.js';
// What Rolldown warns of that webpack or ESLint did, too; the rest is advice.
const FAULTS = [
  'ASSIGN_TO_IMPORT',
  'CANNOT_CALL_NAMESPACE',
  'EVAL',
  'IMPORT_IS_UNDEFINED',
];
// Not the build's, though below api/ there may be a folder for it.
const NOT_OF_BUILD = ['api', 'bench', 'deploy', 'docs', 'tests'];
const NOTHING_OF_BUILD = ['.git', 'kit', 'node_modules', 'public', 'src'];

/**
 * Write build/ as create-react-app did.
 *
 * @param {import('./index.js').App} app
 * @returns {import('vite').Plugin}
 */
export function buildOutput(app) {
  const chunkNames = new Map();
  let warnings = 0;
  let hasTarget = false;
  return {
    name: 'create-react-app:build',
    apply: 'build',
    // After Vite has made index.html of the page.
    enforce: 'post',
    async config({ build }) {
      const browsers = await target(app);
      hasTarget = browsers !== undefined;
      return {
        base: `${app.publicUrl}/`,
        build: {
          outDir: build?.outDir ?? (app.env.BUILD_PATH || 'build'),
          // Unlike there, the source is published only when asked for.
          sourcemap: app.env.GENERATE_SOURCEMAP === 'true',
          target: browsers,
          rolldownOptions: {
            // How long plugins take is no warning about the code.
            checks: { bundlerTimings: false },
            output: {
              entryFileNames: 'static/js/[name].[hash].js',
              chunkFileNames: ({ facadeModuleId }) =>
                `static/js/${chunkNames.get(facadeModuleId) ?? '[name]'}.[hash].chunk.js`,
              assetFileNames,
            },
          },
        },
        worker: {
          rolldownOptions: {
            output: {
              entryFileNames: CHUNK,
              chunkFileNames: CHUNK,
              assetFileNames,
            },
          },
        },
      };
    },
    configResolved({ root, build: { outDir, target }, logger }) {
      assertIsNoSource(root, outDir);
      if (app.package.browserslist && !hasTarget) {
        logger.info(
          `"browserslist" in package.json needs two packages to be read; without them the build ` +
            `is for ${[target].flat().join(', ')}. ` +
            'Run: npm run add-frontend browserslist browserslist-to-esbuild',
        );
      }
    },
    onLog(level, log) {
      if (level === 'warn' && isFaultOf(app.root, log)) warnings++;
    },
    transform: {
      order: 'pre',
      filter: { id: /\/src\//, code: /webpackChunkName/ },
      async handler(code, id) {
        const commented =
          /import\(\s*((?:\/\*(?:(?!\*\/).)*\*\/\s*)+)['"]([^'"]+)['"]/gs;
        for (const [, comments, file] of code.matchAll(commented)) {
          const name = /webpackChunkName:\s*['"]([\w-]+)/.exec(comments)?.[1];
          const module = name && (await this.resolve(file, id));
          if (module) chunkNames.set(module.id, name);
        }
      },
    },
    generateBundle(_options, bundle) {
      const content = manifest(bundle, chunkNames, app.publicUrl);
      this.emitFile({
        type: 'asset',
        fileName: 'asset-manifest.json',
        source: JSON.stringify(content, null, 2),
      });
    },
    closeBundle() {
      if (warnings === 0 || !warningsAreErrors(app.env)) return;
      throw problem(
        'Treating warnings as errors because CI is set (most CI servers set it). ' +
          'CI=false lets them pass.',
      );
    },
  };
}

function assetFileNames({ names }) {
  const folder = names[0]?.endsWith('.css') ? 'css' : 'media';
  return `static/${folder}/[name].[hash][extname]`;
}

/** "Supported Browsers and Features": package.json's browserslist, where it can be read. */
async function target(app) {
  if (!app.package.browserslist) return undefined;
  const mapping = await importInstalled('browserslist-to-esbuild');
  if (!mapping) return undefined;
  return mapping.default(undefined, { path: app.root, env: 'production' });
}

/** List every file by its name without the hash, and what the page starts with. */
function manifest(bundle, chunkNames, publicUrl) {
  const outputs = Object.values(bundle);
  const main = outputs.find(({ isEntry, name }) => isEntry && name === 'main');
  const styles = [...(main?.viteMetadata?.importedCss ?? [])];
  const named = outputs.map((output) => {
    const { fileName } = output;
    const plain = fileName.replace(/\.[\w-]{8}(?=\.\w+(\.map)?$)/, '');
    if (/^static\/(js|css)\/main\./.test(plain))
      return [plain.split('/').at(-1), fileName];
    const chunk = chunkNames.get(output.facadeModuleId);
    if (chunk) return [`${chunk}.js`, fileName];
    return [output.type === 'chunk' ? fileName : plain, fileName];
  });
  return {
    files: Object.fromEntries(
      named.map(([name, file]) => [name, `${publicUrl}/${file}`]),
    ),
    entrypoints: [...styles, main?.fileName].filter(Boolean),
  };
}

/** "Advanced Configuration": CI makes warnings failures, unless it is false. */
function warningsAreErrors({ CI = '' }) {
  return CI !== '' && CI.toLowerCase() !== 'false';
}

/**
 * Tell whether a warning is about the code of the app: packages, index.html and the sizes of
 * files never made a build fail.
 *
 * @param {string} root
 * @param {import('vite').Rolldown.RollupLog} log
 * @returns {boolean}
 */
export function isFaultOf(root, { code, plugin, id, ids, loc }) {
  if (!plugin && !FAULTS.includes(code)) return false;
  const file = id ?? loc?.file ?? ids?.[0];
  if (!file) return false;
  // Rolldown names some files as seen from the project.
  const place = normalizePath(path.relative(root, path.resolve(root, file)));
  return place.startsWith('src/') && !place.includes('/node_modules/');
}

/** Refuse to write a build into what is somebody's work. */
function assertIsNoSource(root, outDir) {
  const folder = path.resolve(root, outDir);
  const real = fs.existsSync(folder) ? fs.realpathSync(folder) : folder;
  const from = real === folder ? root : fs.realpathSync(root);
  const place = normalizePath(path.relative(from, real)).toLowerCase();
  const [first] = place.split('/');
  if (!NOT_OF_BUILD.includes(place) && !NOTHING_OF_BUILD.includes(first))
    return;
  throw problem(
    `The folder of the build is ${folder}, but ${first}/ has other files. ` +
      'Set BUILD_PATH (or build.outDir) to a folder of its own, for example build.',
  );
}
