import { isForTests } from '../../lib/project.js';
import { Importer } from './commonjs-importer.js';
import { PACKAGES_OF, Project, whenImported } from './commonjs-project.js';
import { Requirer } from './commonjs-requirer.js';
import { PACKAGES, SOURCE } from './files.js';
import { scan } from './scan.js';

const RUNNER = /[?&]commonjs\b/;
// `module` as a value, and no word of a comment or of a file's name.
const MAY_BE_COMMONJS =
  /\brequire\b|\bexports\b|\bimport\s*\(|(?:^|[^.\w'"`/-])module\s*(?:[.)\]}&|?,;=!]|$)/m;
const SOURCE_CODE = { include: SOURCE, exclude: PACKAGES };

/**
 * Let src/ be written in CommonJS, and load what is known only in part, as webpack did:
 * require(), require.context(), module.exports, and import() of an expression.
 *
 * Rolldown bundles CommonJS as webpack did. Browsers and Vitest load ECMAScript modules: there
 * a module in CommonJS has two addresses. The one with ?commonjs gives what runs it when it is
 * first required; the plain one runs it, for who imports it.
 *
 * @param {import('./index.js').App} app
 * @returns {import('vite').Plugin[]}
 */
export function commonJs(app) {
  const project = new Project(app);
  return [
    {
      name: 'create-react-app:imports-of-commonjs',
      // Rolldown knows them.
      apply: 'serve',
      enforce: 'pre',
      load: {
        filter: { id: { include: SOURCE, exclude: [PACKAGES, RUNNER] } },
        handler: (id) => project.runDeferred(id),
      },
      transform: {
        filter: { id: SOURCE_CODE, code: /\bfrom\b|\bimport\s*\(/ },
        handler(code, id) {
          return new Importer(this, project, code, id).rewrite();
        },
      },
    },
    {
      name: 'create-react-app:commonjs',
      enforce: 'pre',
      configResolved: (config) => project.configure(config),
      resolveId: {
        filter: { id: new RegExp(`^${PACKAGES_OF}`) },
        handler(id, _importer, options) {
          const { depsOptimizer } = this.environment;
          const file = project.packagesFile(id);
          if (options.scan) return file;
          return depsOptimizer.getOptimizedDepId(
            depsOptimizer.registerMissingImport(id, file),
          );
        },
      },
      transform: {
        filter: {
          id: { include: SOURCE, exclude: [PACKAGES, RUNNER] },
          code: MAY_BE_COMMONJS,
        },
        handler(code, id) {
          if (isTestCode(app, id)) return undefined;
          return new Requirer(this, project, code, id).rewrite();
        },
      },
      hotUpdate: {
        order: 'pre',
        handler(options) {
          return project.affectedBy(options, this.environment);
        },
      },
    },
    {
      name: 'create-react-app:scripts',
      enforce: 'pre',
      transform: {
        filter: {
          id: { include: SOURCE, exclude: [PACKAGES, RUNNER] },
          code: { exclude: /\b(import|export|require|exports|module)\b/ },
        },
        handler(code, id) {
          if (isTestCode(app, id) || !project.isCommonJs(id)) return undefined;
          return app.isBuild
            ? { code: `${code}\nmodule.exports;`, map: null }
            : { code: whenImported(id, [], true), map: { mappings: '' } };
        },
      },
    },
    scan(app, project),
    {
      name: 'create-react-app:required',
      enforce: 'pre',
      transform: {
        filter: { id: RUNNER },
        handler(code, id) {
          return new Requirer(this, project, code, id).rewriteRequired();
        },
      },
    },
  ];
}

/** Tests are rewritten for Vitest, which can wait for what they require. */
function isTestCode(app, id) {
  return app.isTest && isForTests(id);
}
