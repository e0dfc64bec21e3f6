import { createRequire } from 'node:module';
import vm from 'node:vm';
import { codeFrame } from '../code-frame.js';

const TAG = /<%-([\s\S]+?)%>|<%=([\s\S]+?)%>|<%([\s\S]+?)%>/g;
const ENTITIES = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/**
 * Run what html-webpack-plugin ran in public/index.html: <% code %>, <%= value %>, <%- escaped %>.
 *
 * @param {string} html
 * @param {string} file where it stands
 * @param {Record<string, string>} pageEnv
 * @returns {string}
 * @throws {Error} with the place in the file, when the code in it fails
 */
export function runTemplate(html, file, pageEnv) {
  if (!html.includes('<%')) return html;
  try {
    const script = new vm.Script(compile(html), { filename: file });
    return script.runInThisContext()(escapeHtml, scope(file, pageEnv));
  } catch (error) {
    throw locate(error, file);
  }
}

function escapeHtml(value) {
  return String(value).replace(/[&<>"']/g, (sign) => ENTITIES[sign]);
}

/** Write the template as a function, each part of it on the line that it has in the file. */
function compile(html) {
  let code = '(function (__e, __scope) { with (__scope) { let __p = ""; ';
  code += 'const print = (...texts) => { __p += texts.join(""); }; ';
  let end = 0;
  let early = 0;
  const addText = (text) => {
    const lines = text.split('\n').length - 1;
    code += `__p += ${JSON.stringify(text)};`;
    code += '\n'.repeat(Math.max(0, lines - early));
    early = Math.max(0, early - lines);
  };
  for (const found of html.matchAll(TAG)) {
    const [tag, escaped, value, statement] = found;
    addText(html.slice(end, found.index));
    end = found.index + tag.length;
    if (statement === undefined) {
      const wrap = escaped === undefined ? '' : '__e';
      code += `{ const __v = (${escaped ?? value}); __p += __v == null ? "" : ${wrap}(__v); }`;
    } else {
      // Its end is that of a comment with which it may end.
      code += `${statement}\n`;
      early += 1;
    }
  }
  addText(html.slice(end));
  return `${code} return __p; } })`;
}

/** Give the template the names that it had; the page's tags are put in later. */
function scope(file, env) {
  const require = createRequire(file);
  const publicPath = `${env.PUBLIC_URL}/`;
  const webpackConfig = { mode: env.NODE_ENV, output: { publicPath } };
  return {
    htmlWebpackPlugin: {
      tags: { headTags: [], bodyTags: [] },
      files: { publicPath, js: [], css: [], favicon: undefined },
      options: {
        title: 'Webpack App',
        filename: 'index.html',
        template: file,
        publicPath: 'auto',
        inject: true,
        base: false,
        favicon: false,
        hash: false,
        meta: {},
      },
    },
    webpackConfig,
    compilation: { options: webpackConfig },
    process: { env: { ...env } },
    require,
    get _() {
      return require('lodash');
    },
  };
}

function locate(cause, file) {
  // A syntax error begins with its place; any other has it in its stack.
  const stack = String(cause?.stack ?? '');
  const at = stack.indexOf(`${file}:`);
  const place = stack.slice(at + file.length + 1);
  const line = at < 0 ? 1 : Number.parseInt(place, 10);
  const error = new Error(
    `public/index.html, line ${line}: ${cause?.message ?? cause}`,
  );
  const loc = { file, line, column: 0 };
  const frame = codeFrame({ file, line });
  // Where it was thrown is ours, and tells nobody anything.
  error.stack = '';
  return Object.assign(error, { id: file, loc, frame });
}
