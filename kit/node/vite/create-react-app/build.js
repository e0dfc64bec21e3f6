import { problem } from '../../lib/project.js';
import { importInstalled } from './packages.js';

const CHUNK = 'static/js/[name].[hash].chunk.js';

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
    configResolved({ build: { target }, logger }) {
      if (app.package.browserslist && !hasTarget) {
        logger.info(
          `"browserslist" in package.json needs two packages to be read; without them the build ` +
            `is for ${[target].flat().join(', ')}. ` +
            'Run: npm run add-frontend browserslist browserslist-to-esbuild',
        );
      }
      if (!warningsAreErrors(app.env)) return;
      for (const name of ['warn', 'warnOnce']) {
        const warn = logger[name];
        logger[name] = (message, options) => {
          // It never was a warning that a bundle is large.
          if (!message.includes('chunkSizeWarningLimit')) warnings++;
          warn(message, options);
        };
      }
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
      if (warnings === 0) return;
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
