/** What follows a command: each argument is taken, or refused by its name. */
import {
  assertNpmKeptNo,
  buildArguments,
  developmentArguments,
  flaskPlace,
  productionPlace,
  refuseArguments,
} from '../lib/arguments.js';

const NO_NPM = {};

describe('a command without arguments', () => {
  it('refuses any by name, and says what to do in place of it', () => {
    expect(() =>
      refuseArguments('lint', ['--fix'], 'It is: npm run format'),
    ).toThrow(
      'npm run lint takes no arguments, but was given: --fix\nIt is: npm run format',
    );
    expect(refuseArguments('lint', [])).toBeUndefined();
  });
});

describe('Vite', () => {
  it.each([
    [[]],
    [['--host', '0.0.0.0', '--port', '3611']],
    [['--host', '--port=3611']],
    [['--host']],
    [['--open', '/books', '--force', '--no-cors', '--strict-port']],
    [['--no-open', '--clearScreen=false']],
    [['-m', 'staging', '--base=/a/', '-lwarn', '--debug', 'hmr']],
  ])('is told %j', (args) => {
    expect(developmentArguments('dev', args, NO_NPM)).toBe(args);
  });

  it.each([
    [
      ['3611'],
      /^npm run dev: 3611 is no option\. There are: --port, --host.*\nFor a port: npm run dev -- --port 3611$/s,
    ],
    [['src'], /^npm run dev: src is no option\. There are: --port, [^\n]*$/],
    [['--force', '3611'], /: 3611 is no option/],
    [['build'], /: build is no option/],
    [['--prot', '3000'], /: there is no option --prot\. There are: --port/],
    [['-p', '3000'], /: there is no option -p\. There are: --port/],
    [['--'], /: there is no option --\. /],
    [['-'], /: there is no option -\. /],
    [[''], /: {2}is no option\. /],
    [['--no-port'], /: there is no option --no-port\. /],
    [['--constructor'], /: there is no option --constructor\. /],
    [['--port'], /^npm run dev: --port needs a value\.$/],
    [['--port', '--host'], /: --port needs a value\./],
    [['--port='], /: --port needs a value\./],
    [['--host='], /: --host needs a value\./],
    [['--port', '1', '--port=2'], /^npm run dev: --port is given twice\.$/],
    [
      ['--port=abc'],
      /^--port=abc is not a port\. Use a number from 1 to 65535/,
    ],
    [['--port', '0x1F'], /^--port=0x1F is not a port/],
    [['--port', '1e3'], /^--port=1e3 is not a port/],
    [['--port', '0'], /^--port=0 is not a port/],
    [['--outDir', 'x'], /: there is no option --outDir\. /],
  ])('is not told %j', (args, message) => {
    expect(() => developmentArguments('dev', args, NO_NPM)).toThrow(message);
  });

  it.each([
    [{ npm_config_port: 'true' }, ['3611'], '--port 3611'],
    [{ npm_config_port: '3611' }, [], '--port 3611'],
    [{ npm_config_host: 'true' }, [], '--host'],
    [{ npm_config_host: '0.0.0.0' }, ['--port', '3611'], '--host 0.0.0.0'],
  ])('is not started where npm has kept an option: %j %j', (env, args, told) => {
    expect(() => developmentArguments('start', args, env)).toThrow(
      new RegExp(`has kept --\\w+ for itself.*\nnpm run start -- ${told}$`),
    );
  });

  it.each([
    [{ npm_config_api: 'true' }, [], 'upgrade --api'],
    [{ npm_config_keep_example: 'true' }, ['x'], 'upgrade … --keep-example'],
  ])('of the kit is refused where npm has kept %j', (env, args, told) => {
    expect(() =>
      assertNpmKeptNo('upgrade', ['api', 'keep-example'], args, env),
    ).toThrow(
      new RegExp(`has kept --\\S+ for itself.*\nnpm run kit -- ${told}$`),
    );
  });

  it('is told what a script of npm hands on', () => {
    const args = ['--port', '3611'];
    const env = { npm_config_port: '3611' };
    expect(developmentArguments('start', args, env)).toBe(args);
    expect(() => assertNpmKeptNo('x', ['port'], args, env)).not.toThrow();
  });

  it.each([
    [['--outDir', 'x']],
    [['--sourcemap', '--mode=staging']],
    [['-w']],
  ])('is told %j for a build', (args) => {
    expect(buildArguments(args)).toBe(args);
  });

  it.each([
    [['foo'], 'npm run build: foo is no option. There are: --outDir, '],
    [
      ['--port', '3000'],
      'npm run build: there is no option --port. There are: ',
    ],
    [['--outDir'], 'npm run build: --outDir needs a value.'],
  ])('is not told %j for a build', (args, message) => {
    expect(() => buildArguments(args)).toThrow(message);
  });
});

describe('production', () => {
  it.each([
    [[], {}],
    [['--port', '9000'], { PORT: '9000' }],
    [['--port=9000', '--host=0.0.0.0'], { PORT: '9000', HOST: '0.0.0.0' }],
  ])('listens where %j says', (args, place) => {
    expect(productionPlace(args, NO_NPM)).toEqual(place);
  });

  it.each([
    [['9000'], 'For a port: npm run serve -- --port 9000'],
    [['--port', 'abc'], '--port=abc is not a port.'],
    [['--host'], 'npm run serve: --host needs a value.'],
    [['--outDir', 'x'], 'There are: --port, --host.'],
  ])('refuses %j', (args, message) => {
    expect(() => productionPlace(args, NO_NPM)).toThrow(message);
    expect(() => productionPlace([], { npm_config_port: '9000' })).toThrow(
      'npm run serve -- --port 9000',
    );
  });
});

describe('Flask', () => {
  it.each([
    [[], {}],
    [['--port', '5055'], { port: 5055 }],
    [['-p5055', '-h', '0.0.0.0'], { port: 5055, host: '0.0.0.0' }],
    [['-p=5055', '--host=::1'], { port: 5055, host: '::1' }],
  ])('listens where %j says', (args, place) => {
    expect(flaskPlace(args, NO_NPM)).toEqual({ rest: [], ...place });
  });

  it('is told the rest, which it refuses itself', () => {
    const args = ['--cert', 'adhoc', '-p', '5055', '--no-reload', 'x'];
    expect(flaskPlace(args, NO_NPM)).toEqual({
      port: 5055,
      rest: ['--cert', 'adhoc', '--no-reload', 'x'],
    });
  });

  it.each([
    [['-p', '1', '--port', '2'], 'npm run start-api: --port is given twice.'],
    [['-p', '0x1F'], '--port=0x1F is not a port.'],
    [['-h'], 'npm run start-api: -h needs a value.'],
  ])('refuses %j', (args, message) => {
    expect(() => flaskPlace(args, NO_NPM)).toThrow(message);
    expect(() => flaskPlace(['5055'], { npm_config_port: 'true' })).toThrow(
      'npm run start-api -- --port 5055',
    );
  });
});
