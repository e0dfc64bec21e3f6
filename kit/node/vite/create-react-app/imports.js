import { transformWithOxc } from 'vite';
import { absoluteImports } from './absolute-imports.js';
import { commonJs } from './commonjs.js';
import { ENDINGS, FILE, FILE_OF_PACKAGE, PACKAGES, SOURCE } from './files.js';
import { flow } from './flow.js';
import { freeNames, namesOfPage } from './names.js';
import { importInstalled } from './packages.js';
import { requests } from './requests.js';
import { styles } from './styles.js';
import { workers } from './workers.js';

// As in TypeScript, and as all configurations of Babel had them.
const DECORATORS = { legacy: true };
const SVG = /\/src\/[^?]*\.svg$/;

/**
 * Let src/ import what webpack let it import.
 *
 * @param {import('./index.js').App} app
 * @returns {import('vite').Plugin[]}
 */
export function imports(app) {
  return [
    assets(app),
    styles(app),
    requests(app),
    absoluteImports(app),
    svgComponents(app),
    ...code(app),
    workers(app, () => [...code(app), jsxInJavaScript(app)]),
    jsxInJavaScript(app),
  ];
}

/** What the code of a worker is compiled with, too. */
function code(app) {
  return [flow(app), ...commonJs(app), ...freeNames(app)];
}

/** "Adding Images, Fonts, and Files": an import is an address; small images are in the code. */
function assets(app) {
  return {
    name: 'create-react-app:assets',
    enforce: 'pre',
    load: {
      // Vite would run it.
      filter: { id: /\.wasm$/ },
      handler(id) {
        const address = JSON.stringify(`${id}?url`);
        return app.isTest ? undefined : `export { default } from ${address};`;
      },
    },
    config: () => ({
      assetsInclude: [FILE, FILE_OF_PACKAGE],
      resolve: { extensions: ENDINGS },
      build: {
        assetsInlineLimit: (file, content) =>
          /\.(avif|bmp|gif|jpe?g|png)$/.test(file) &&
          content.length <= Number(app.env.IMAGE_INLINE_SIZE_LIMIT ?? 10_000),
      },
    }),
  };
}

/** "Adding SVGs": `import { ReactComponent } from './logo.svg'`, once vite-plugin-svgr is there. */
async function svgComponents(app) {
  const svgr = await importInstalled('vite-plugin-svgr');
  if (!svgr) return explainSvgComponents(app);
  const both = {
    name: 'create-react-app:svg-components',
    enforce: 'pre',
    load: {
      filter: { id: SVG },
      handler(id) {
        if (app.isTest) return undefined;
        const [url, component] = [`${id}?url`, `${id}?react`].map(
          JSON.stringify,
        );
        return `export { default } from ${url};
          export { default as ReactComponent } from ${component};`;
      },
    },
  };
  return [both, svgr.default({ svgrOptions: { ref: true, titleProp: true } })];
}

function explainSvgComponents(app) {
  const use =
    /^import\s[^;'"]*\bReactComponent\b[^;'"]*\bfrom\s*['"][^'"]+\.svg['"]/m;
  return {
    name: 'create-react-app:no-svg-components',
    enforce: 'pre',
    transform: {
      filter: { id: { include: SOURCE, exclude: PACKAGES }, code: use },
      handler(code) {
        if (app.isTest) return;
        this.error(
          'An SVG becomes a ReactComponent by a package. Run: npm run add-frontend vite-plugin-svgr',
          code.search(use),
        );
      },
    },
  };
}

/** Compile JSX in src/*.js too: Vite itself expects it only in .jsx and .tsx. */
function jsxInJavaScript(app) {
  let sourcemap;
  let define;
  return {
    name: 'create-react-app:jsx-in-js',
    enforce: 'pre',
    config: () => ({
      oxc: { decorator: DECORATORS },
      optimizeDeps: { rolldownOptions: { moduleTypes: { '.js': 'jsx' } } },
    }),
    configResolved({ build }) {
      define = app.isDevelopment ? namesOfPage(app) : undefined;
      sourcemap = !app.isBuild || Boolean(build.sourcemap);
    },
    transform: {
      filter: { id: { include: /\/src\/[^?]*\.js(\?|$)/, exclude: PACKAGES } },
      handler(code, id) {
        return transformWithOxc(code, id.split('?')[0], {
          lang: 'jsx',
          tsconfig: false,
          sourcemap,
          sourceType: app.isBuild ? undefined : 'module',
          define,
          decorator: DECORATORS,
          jsx: {
            runtime: 'automatic',
            development: app.isDevelopment,
            refresh: app.isDevelopment,
          },
        });
      },
    },
  };
}
