import { problem, readPort } from './project.js';

const IS_VALUE = /^[^-]/;
/** Options of Vite: whether a value follows, may follow, or never does. */
const OF_VITE = {
  base: 'value',
  clearScreen: 'alone',
  config: 'value',
  configLoader: 'value',
  debug: 'perhaps',
  filter: 'value',
  logLevel: 'value',
  mode: 'value',
  profile: 'perhaps',
};
const OF_DEVELOPMENT = {
  port: 'value',
  host: 'perhaps',
  open: 'perhaps',
  cors: 'alone',
  force: 'alone',
  strictPort: 'alone',
  ...OF_VITE,
};
const OF_A_BUILD = {
  outDir: 'value',
  assetsDir: 'value',
  assetsInlineLimit: 'value',
  emptyOutDir: 'alone',
  manifest: 'perhaps',
  minify: 'perhaps',
  sourcemap: 'perhaps',
  target: 'value',
  watch: 'alone',
  ...OF_VITE,
};
const PLACE = { port: 'value', host: 'value' };
const SHORT_OF_VITE = {
  c: 'config',
  d: 'debug',
  f: 'filter',
  l: 'logLevel',
  m: 'mode',
  w: 'watch',
};
const SHORT_OF_FLASK = { h: 'host', p: 'port' };

/**
 * Refuse what a command has no use for.
 *
 * @param {string} command such as 'lint'
 * @param {string[]} args
 * @param {string} [hint] what to do in place of it
 * @throws {Error} that names them, if there are any
 */
export function refuseArguments(command, args, hint = '') {
  if (args.length === 0) return;
  throw problem(
    `npm run ${command} takes no arguments, but was given: ${args.join(' ')}\n${hint}`.trimEnd(),
  );
}

/**
 * Check what Vite's development server is told.
 *
 * @param {'start' | 'dev'} command
 * @param {string[]} args
 * @param {Record<string, string | undefined>} [env] where npm says which options it has kept
 * @returns {string[]} the same
 * @throws {Error} that names an argument which Vite does not know, or would misread
 */
export function developmentArguments(command, args, env = process.env) {
  assertNpmKeptNoPlace(command, args, env);
  const { options } = read(command, args, OF_DEVELOPMENT, SHORT_OF_VITE);
  if (options.has('port')) readPort('--port', options.get('port'));
  return args;
}

/**
 * Check what Vite is told for a build.
 *
 * @param {string[]} args
 * @returns {string[]} the same
 * @throws {Error} that names an argument which Vite does not know, or would misread
 */
export function buildArguments(args) {
  read('build', args, OF_A_BUILD, SHORT_OF_VITE);
  return args;
}

/**
 * Read where the production server shall listen.
 *
 * @param {string[]} args
 * @param {Record<string, string | undefined>} [env] where npm says which options it has kept
 * @returns {{ HOST?: string, PORT?: string }} the environment that says so
 * @throws {Error} that names an argument which is another one, or wrong
 */
export function productionPlace(args, env = process.env) {
  assertNpmKeptNoPlace('serve', args, env);
  const { options } = read('serve', args, PLACE, {});
  const [host, port] = [options.get('host'), options.get('port')];
  return {
    ...(host && { HOST: host }),
    ...(port && { PORT: String(readPort('--port', port)) }),
  };
}

/**
 * Read from the arguments of `flask run` where it shall listen. Flask itself refuses what it
 * does not know.
 *
 * @param {string[]} args
 * @param {Record<string, string | undefined>} [env] where npm says which options it has kept
 * @returns {{ host?: string, port?: number, rest: string[] }}
 * @throws {Error} that names an argument which is wrong
 */
export function flaskPlace(args, env = process.env) {
  assertNpmKeptNoPlace('start-api', args, env);
  const { options, rest } = read(
    'start-api',
    args,
    PLACE,
    SHORT_OF_FLASK,
    true,
  );
  const port = options.get('port');
  return {
    host: options.get('host'),
    port: port && readPort('--port', port),
    rest,
  };
}

/**
 * Tell npm's users that `npm run kit upgrade --api` gives --api to npm, and not to us.
 *
 * @param {string} command of `npm run kit`, such as 'upgrade'
 * @param {string[]} names the options that it has, without dashes
 * @param {string[]} args what it was given
 * @param {Record<string, string | undefined>} [env] where npm says which options it has kept
 * @throws {Error} that names the first one, if npm has kept any
 */
export function assertNpmKeptNo(command, names, args, env = process.env) {
  const [kept] = keptByNpm(names, args, env);
  if (!kept) return;
  const others = args.length > 0 ? '… ' : '';
  throw problem(
    `npm has kept --${kept.name} for itself. Write two dashes before the command:\n` +
      `npm run kit -- ${command} ${others}--${kept.name}`,
  );
}

/** The same of `npm run dev --port 3611`, where 3611 may be left to us. */
function assertNpmKeptNoPlace(command, args, env) {
  const [kept] = keptByNpm(['port', 'host'], args, env);
  if (!kept) return;
  const value =
    kept.value === 'true' ? args.find((arg) => IS_VALUE.test(arg)) : kept.value;
  throw problem(
    `npm has kept --${kept.name} for itself. Write two dashes before it:\n` +
      `npm run ${command} -- --${kept.name} ${value ?? ''}`.trimEnd(),
  );
}

function keptByNpm(names, args, env) {
  const given = args.map((arg) => arg.split('=')[0]);
  return names
    .filter((name) => !given.includes(`--${name}`))
    .map((name) => ({
      name,
      value: env[`npm_config_${name.replaceAll('-', '_')}`],
    }))
    .filter(({ value }) => value !== undefined);
}

/**
 * Read options as Vite and Flask do: --name value, --name=value, -n value, -nvalue.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {Record<string, 'alone' | 'perhaps' | 'value'>} known
 * @param {Record<string, string>} short the names of those with one letter
 * @param {boolean} [passesOn] whether somebody else reads what is not known here
 * @returns {{ options: Map<string, string | undefined>, rest: string[] }}
 */
function read(command, args, known, short, passesOn = false) {
  const options = new Map();
  const rest = [];
  const waiting = [...args];
  while (waiting.length > 0) {
    const arg = waiting.shift();
    const { name, written, value } = parse(arg, known, short);
    if (!name) {
      if (!passesOn) throw unknown(command, arg, known);
      rest.push(arg);
      continue;
    }
    if (options.has(name)) {
      throw problem(`npm run ${command}: ${written} is given twice.`);
    }
    const isNext =
      value === undefined &&
      known[name] !== 'alone' &&
      IS_VALUE.test(waiting[0] ?? '');
    const given = isNext ? waiting.shift() : value;
    if (given === '' || (known[name] === 'value' && given === undefined)) {
      throw problem(`npm run ${command}: ${written} needs a value.`);
    }
    options.set(name, given);
  }
  return { options, rest };
}

/** Take an argument apart; without a name where it is no option that is known. */
function parse(arg, known, short) {
  const [, written, value] = /^(--[^=]+)(?:=(.*))?$/s.exec(arg) ?? [];
  if (written) {
    const camel = written
      .slice(2)
      .replace(/-(\w)/g, (_, it) => it.toUpperCase());
    const positive = camel.replace(/^no(?=[A-Z])/, '');
    const isNegated = positive !== camel;
    const name = isNegated
      ? positive[0].toLowerCase() + positive.slice(1)
      : camel;
    const canBe = !isNegated || known[name] !== 'value';
    if (Object.hasOwn(known, name) && canBe) return { name, written, value };
  }
  const [, letter, rest] = /^-(\w)=?(.*)$/s.exec(arg) ?? [];
  if (Object.hasOwn(short, letter ?? '')) {
    return {
      name: short[letter],
      written: `-${letter}`,
      value: rest || undefined,
    };
  }
  return {};
}

function unknown(command, arg, known) {
  const names = Object.keys(known).map((name) => `--${name}`);
  const what = arg.startsWith('-')
    ? `there is no option ${arg}`
    : `${arg} is no option`;
  const isPort = /^\d+$/.test(arg) && Object.hasOwn(known, 'port');
  return problem(
    `npm run ${command}: ${what}. ` +
      `There are: ${names.join(', ')}.` +
      (isPort ? `\nFor a port: npm run ${command} -- --port ${arg}` : ''),
  );
}
