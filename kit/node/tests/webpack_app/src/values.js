/** What webpack and Babel gave this code; expected.json says what that is. */

import fromLoader from '!!raw-loader!./note.unknown';
import { name as aliased } from '@parts/Folder';
import regenerated from 'regenerator-package';
import styled from 'styled-components/macro';
import { code as aliasOfFile } from '~lang';
import { computed as throughAll } from './all';
import { barrelled, namespace } from './barrel';
import { seenBy } from './circle/module';
import * as everything from './commonjs';
import defaultOfCommonJs, { computed, named, nothing } from './commonjs';
import compiled, { name as nameOfCompiled } from './compiled';
import Decorated from './decorated';
import empty from './empty';
import double from './function';
import inherited, { greet } from './instance';
import jsx from './jsx';
import license from './LICENSE';
import note from './note.unknown';
import Platform from './platform';
import { part as reexported } from './reexports';
import startWorkers from './startWorkers';
import typed from './typed';
import { before } from './umd';

const commonJs = require('./commonjs');
const data = require('./data.json');
const ecmaScript = require('./ecmascript');
const { first } = require('./circle/first');
const shortened = require('parts/Folder');

if (process.env.NODE_ENV === 'never') require('./is-not-there');
if (module.hot) {
  module.hot.accept('./is-not-there', () => require('./is-not-there'));
}

const order = [];
window.order = order;
order.push('before');
if (order.length > 5) require('./effect');
order.push(require('./late').name);
if (order.length > 5) require('./late-ecmascript');

let optional;
try {
  optional = require('is-not-installed');
} catch (error) {
  optional = error.code;
}

/** The name of a file, without what the build adds. */
function file(address) {
  return String(address)
    .split('/')
    .pop()
    .replace(/\.[\w-]{8,}(?=\.|$)/, '');
}

async function message(error) {
  try {
    await error();
    return 'none';
  } catch ({ message }) {
    return message;
  }
}

export default async function values() {
  const context = require.context('./lang', false, /\.js$/);
  const pictures = require.context('./pictures', true, /\.(png|txt)$/);
  const later = require.context('./lang', true, /en\.js$/, 'lazy');
  const languages = ['de', 'en'].map((it) => require(`./lang/${it}`));
  const parts = await Promise.all(
    ['One', 'Two', 'Folder', 'Folder/index.js'].map(
      (name) => import(`./parts/${name}`),
    ),
  );
  const chosen = await import(
    /* webpackInclude: /en/ */ './lang/' + languages[1].code + '.js'
  );
  const one = order.length > 100 ? 'two' : 'one';
  return {
    'module.exports': commonJs === defaultOfCommonJs,
    'named import of CommonJS': [named, computed, typeof nothing],
    'import * of CommonJS': [everything.named, everything.default.named],
    'CommonJS that Babel made': [compiled, nameOfCompiled],
    'a function as module.exports': double(2),
    're-export of CommonJS': reexported,
    'a barrel, also required': [
      barrelled,
      namespace.named,
      require('./barrel').barrelled,
    ],
    'module handed on': typeof { module }.module,
    'declare in TypeScript': require('./declares').code,
    'ES module required': [
      ecmaScript.default,
      ecmaScript.__esModule,
      ecmaScript.live(),
    ],
    'in a circle': first,
    'order of effects': order,
    'missing in try': optional,
    'by baseUrl': shortened.name,
    'a folder': require('./parts/Folder').name,
    JSON: [data.answer, require('./data').answer],
    'style module': typeof require('./some.module.css').default.title,
    picture: file(require('./pictures/a.png')),
    'picture of before': file(require('./pictures/a.png').default),
    'some pictures': ['a', 'b'].map((it) =>
      file(require(`./pictures/${it}.png`)),
    ),
    'any ending': file(note),
    'no ending': file(license),
    'from a package': file(require('asset-package/data.wasm')),
    'SVG required': [
      file(require('./pictures/c.svg')),
      file(require('./pictures/c.svg').default),
    ],
    context: [
      context.keys(),
      context('./de.js').code,
      context.resolve('./en.js') !== undefined,
    ],
    'context of files': pictures.keys(),
    'context later': (await later('./en.js')).code,
    'context, missing': await message(() => context('./fr.js')),
    'dynamic require': languages.map(({ code }) => code),
    'dynamic import': parts.map((it) => it.default.name ?? it.default),
    'dynamic import with a comment': chosen.code,
    'dynamic import, missing': await message(() => import(`./parts/${one}`)),
    'dynamic, of a package': require(`context-package/lib/${one}`),
    conditional: require(order.length > 100 ? './lang/de' : './lang/en').code,
    'by an expression': require('./lang/' + 'de').code,
    'by a variable of the environment': require(
      `./lang/${process.env.REACT_APP_LANGUAGE}`,
    ).code,
    ensured: await new Promise((resolve) => {
      require.ensure([], (require) => resolve(require('./lang/en').code));
    }),
    'typeof require': typeof require,
    'module.hot': String(module.hot),
    __dirname: [__dirname, __filename],
    global: global === window,
    __webpack_public_path__: __webpack_public_path__,
    regeneratorRuntime: await regenerated(),
    platform: Platform,
    'react-native': require('react-native').name,
    macro: styled('b'),
    loader: fromLoader.trim(),
    'jQuery and its plugin': require('./jquery'),
    JSX: jsx,
    'import of nothing': empty,
    'export * of CommonJS': throughAll,
    'inherited by module.exports': [greet, inherited.greet],
    'CommonJS and a module in a circle': seenBy(),
    TypeScript: typed,
    module: [typeof module, String(module && module.hot), module.id],
    'UMD in a module': [before, window.umd, typeof exports],
    'by an alias': [aliased, aliasOfFile, require('@parts/Two').name],
    decorators: [Decorated.kind, Decorated.isDecorated, new Decorated().name()],
    workers: await startWorkers(),
  };
}
