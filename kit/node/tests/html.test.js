/** public/index.html: html-webpack-plugin's template in it, and where the page's tags go. */
import path from 'node:path';
import { insertTags } from '../vite/create-react-app/html.js';
import { runTemplate } from '../vite/create-react-app/template.js';
import { makeFolder, remove } from './projects.js';

const ENV = {
  NODE_ENV: 'production',
  PUBLIC_URL: '/app',
  REACT_APP_X: 'a < b',
};

const run = (html, file = '/page/public/index.html') =>
  runTemplate(html, file, ENV);

describe('the template', () => {
  it.each([
    ['a page without code', `a $& \${x} %X% \\ ' " \u2028`, undefined],
    ['a value', '<%= process.env.REACT_APP_X %>', 'a < b'],
    [
      'an escaped value',
      '<%- process.env.REACT_APP_X + `"\'` %>',
      'a &lt; b&quot;&#39;',
    ],
    ['nothing', '[<%= undefined %><%= null %>]', '[]'],
    ['a number', '<%= 0 %>', '0'],
    [
      'a condition',
      "<% if (process.env.NODE_ENV === 'production') { %>yes<% } else { %>no<% } %>",
      'yes',
    ],
    [
      'a loop',
      '<% for (const n of [1, 2]) { %><b><%= n %></b>\r\n<% } %>',
      '<b>1</b>\r\n<b>2</b>\r\n',
    ],
    ['a closure', '<% [1, 2].forEach(function (n) { %><%= n %><% }) %>', '12'],
    ['a comment', 'a<% // a } comment %>b', 'ab'],
    ['print()', '<% print("a", 1) %>', 'a1'],
    ['no other mark', `<%= 1 %>\${1}{{1}}`, `1\${1}{{1}}`],
    ['code in a comment', '<!-- <%= 1 + 1 %> -->', '<!-- 2 -->'],
    ['the title', '<%= htmlWebpackPlugin.options.title %>', 'Webpack App'],
    ['the place', '<%= htmlWebpackPlugin.files.publicPath %>', '/app/'],
    [
      'the mode',
      '<%= webpackConfig.mode %><%= compilation.options.mode %>',
      'productionproduction',
    ],
    ['tags', '[<%= htmlWebpackPlugin.tags.headTags %>]', '[]'],
    [
      'files',
      '[<% for (const css in htmlWebpackPlugin.files.css) { %>x<% } %>]',
      '[]',
    ],
    ['a secret of the process', '<%= process.env.PATH %>', ''],
  ])('knows %s', (_, html, expected = html) => {
    expect(run(html)).toBe(expected);
  });

  it('requires files and packages of the project', () => {
    const folder = makeFolder({
      'package.json': '{ "version": "1.2.3" }',
      'node_modules/lodash/index.js': 'exports.upperFirst = () => "Upper";',
    });
    onTestFinished(() => remove(folder));
    const file = path.join(folder, 'public/index.html');
    expect(run("<%= require('../package.json').version %>", file)).toBe(
      '1.2.3',
    );
    expect(run("<%= _.upperFirst('upper') %>", file)).toBe('Upper');
  });

  it.each([
    ['a reference error', '<p>\n\n<%= unknown %>', 3, 'unknown is not defined'],
    ['a syntax error', '<p>\r\n<% if (a b) { %>\r\n<% } %>', 2, ''],
    [
      'an error after code',
      '<% if (1) {\n // } \n%>\n<p>\n<% } %>\n<%= x.y %>',
      6,
      'x is not defined',
    ],
    ['an error in code of some lines', '<p>\n<%\n\nnull.x\n%>', 4, 'null'],
    ['what the code throws', '<p>\n<% throw new Error("own") %>', 2, 'own'],
    ['code that does not end', '<p>\n<% if (1) { %>\n', 3, 'Unexpected token'],
  ])('names the line of %s', (_, html, line, text) => {
    const folder = makeFolder({ 'public/index.html': html });
    onTestFinished(() => remove(folder));
    const file = path.join(folder, 'public/index.html');
    const error = (() => {
      try {
        run(html, file);
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error.message).toContain(`public/index.html, line ${line}: `);
    expect(error.message).toContain(text);
    expect(error.loc).toEqual({ file, line, column: 0 });
    expect(error.frame).toContain(`${line} | `);
  });
});

describe('tags are put', () => {
  const put = (html) => insertTags(html, '  <HEAD>\n', '<BODY>');

  it.each([
    ['<head></head><body></body>', '<head><HEAD></head><body><BODY></body>'],
    [
      '<html>\r\n<head>\r\n  </head>\r\n<body>\r\n</body>\r\n</html>',
      '<html>\r\n<head>\r\n    <HEAD>\n  </head>\r\n<body>\r\n  <BODY>\n</body>\r\n</html>',
    ],
    ['<HEAD></HEAD ><BODY></BODY>', '<HEAD><HEAD></HEAD ><BODY><BODY></BODY>'],
    // No head, no body, nothing at all.
    [
      '<html><body><p></body></html>',
      '<html><HEAD><body><p><BODY></body></html>',
    ],
    [
      '<!doctype html><title>x</title><p>',
      '<!doctype html><HEAD><title>x</title><p><BODY>',
    ],
    [
      '<!DOCTYPE html><html lang=en><title>x</title></html>',
      '<!DOCTYPE html><html lang=en><HEAD><title>x</title><BODY></html>',
    ],
    ['<p>', '  <HEAD>\n<p><BODY>'],
    ['', '  <HEAD>\n  <BODY>\n'],
    // What only looks like a tag.
    [
      '<head><!-- </head> --><script>"</head>"</script></head><body><!-- </body> --></body>',
      '<head><!-- </head> --><script>"</head>"</script><HEAD></head><body><!-- </body> --><BODY></body>',
    ],
    [
      '<header></header><head></head></body>',
      '<header></header><head><HEAD></head><BODY></body>',
    ],
  ])('into %j', (html, expected) => {
    expect(put(html)).toBe(expected);
  });

  it('as they are', () => {
    expect(insertTags('<head></head>', '$& $1', '')).toBe('<head>$& $1</head>');
  });
});
