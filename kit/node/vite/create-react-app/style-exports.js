const STYLE = /\.(css|scss|sass)(\?|$)/;
const MODULE = /\.module\.(css|scss|sass)(\?|$)/;
// What another tool than the style's makes of it.
const NO_STYLE = /[?&](url|raw|inline|html-proxy|commonjs-proxy|worker)\b/;
const WITH_NAME =
  /\bimport\s*(?:[\w$]|\*|\{)[^;'"]*?\bfrom\s*(['"])((?:(?!\.module\.)[^'"\n])+\.(?:css|scss|sass))\1/;
const EXPORTS = /(?:^|(?<=[};\s]|\*\/)):export\s*\{([^{}]*)\}/g;

/**
 * What a style exports that is no CSS Module: the values in its :export, as css-loader's mode
 * "icss" did; or nothing, but a page may import that by a name.
 *
 * @param {import('./index.js').App} app
 * @returns {import('vite').Plugin[]}
 */
export function exportsOfStyles(app) {
  const named = new Set();
  const values = new Map();
  const style = { include: STYLE, exclude: [MODULE, NO_STYLE] };
  const importers = {
    name: 'create-react-app:importers-of-styles',
    enforce: 'pre',
    transform: {
      filter: {
        id: {
          include: /\/src\/[^?]*\.[jt]sx?(\?|$)/,
          exclude: /\/node_modules\//,
        },
        code: WITH_NAME,
      },
      async handler(code, id) {
        if (app.isTest) return;
        for (const [, , name] of code.matchAll(new RegExp(WITH_NAME, 'g'))) {
          if (MODULE.test(name)) continue;
          const found = await this.resolve(name, id);
          if (found) named.add(found.id);
        }
      },
    },
  };
  const takeOut = {
    name: 'create-react-app:values-of-styles',
    transform: {
      filter: { id: style },
      handler(css, id) {
        values.delete(id);
        if (app.isTest || !css.includes(':export')) return undefined;
        const found = {};
        const code = css.replace(EXPORTS, (_, block) => {
          for (const [, name, value] of block.matchAll(
            /([^\s;:]+)\s*:\s*([^;]*)/g,
          ))
            found[name] = value.trim();
          return '';
        });
        values.set(id, found);
        return { code, map: null };
      },
    },
  };
  const giveOut = {
    name: 'create-react-app:exports-of-styles',
    enforce: 'post',
    transform: {
      filter: { id: style },
      handler(code, id) {
        if (!named.has(id) && !values.has(id)) return undefined;
        const exported = `\nexport default ${JSON.stringify(values.get(id) ?? {})};`;
        // Who has the old values is to be loaded anew.
        const hot =
          app.isDevelopment && values.has(id)
            ? '\nimport.meta.hot.accept(() => import.meta.hot.invalidate());'
            : '';
        return { code: code + exported + hot, map: null };
      },
    },
  };
  return [importers, takeOut, giveOut];
}
