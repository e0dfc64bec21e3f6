/** Settings of the development server, as create-react-app names them. */
import { App } from '../vite/create-react-app/index.js';
import {
  readAllowedHosts,
  serverSettings,
} from '../vite/create-react-app/settings.js';

function configure(env, server = {}) {
  const app = Object.assign(new App(), { env, isDevelopment: true });
  return serverSettings(app).config({ server }).server;
}

function start(env) {
  const app = Object.assign(new App(), {
    env,
    isDevelopment: true,
    root: '/no',
  });
  const warn = vi.fn();
  const config = { server: { port: 3000 }, logger: { warn } };
  serverSettings(app).configureServer({ config });
  return warn.mock.calls.flat();
}

describe('ALLOWED_HOSTS', () => {
  it.each([
    [undefined, []],
    ['', []],
    ['app.example.com', ['app.example.com']],
    ['a.example, .b.example c', ['a.example', '.b.example', 'c']],
    ['App.Example.COM', ['app.example.com']],
    ['bücher.example', ['xn--bcher-kva.example']],
    ['my_service', ['my_service']],
    ['true.example', ['true.example']],
  ])('%j is read as %j', (text, names) => {
    expect(readAllowedHosts(text)).toEqual(names);
  });

  it.each([
    '*',
    '*.example.com',
    'true',
    'TRUE',
    '.',
    'a..example',
    'example.com.',
    'example.com:3000',
    'https://example.com',
    '["a.example"]',
    'a/b',
    'user@a',
    '[::1]',
    'xn--a',
  ])('%s is refused by name', (name) => {
    expect(() => readAllowedHosts(`a.example ${name}`)).toThrow(
      `ALLOWED_HOSTS: ${JSON.stringify(name)} is not the name of a host. `,
    );
  });

  it('are what Vite allows besides, also where vite.config.js names some', () => {
    const env = { ALLOWED_HOSTS: '.example.com' };
    const allowedHosts = ['.example.com'];
    expect(configure(env)).toMatchObject({ allowedHosts });
    const server = { allowedHosts: ['other.example'] };
    // Vite adds the one list to the other.
    expect(configure(env, server)).toMatchObject({ allowedHosts });
  });
});

it('an old switch that would let every website in is ignored, with a word', () => {
  expect(start({ DANGEROUSLY_DISABLE_HOST_CHECK: 'true' })).toEqual([
    expect.stringMatching(
      /^DANGEROUSLY_DISABLE_HOST_CHECK is ignored.*ALLOWED_HOSTS/,
    ),
  ]);
  expect(start({})).toEqual([]);
});

it('a HOST that is set to nothing is this machine alone', () => {
  expect(configure({ HOST: '' }).host).toBeUndefined();
  expect(configure({ HOST: '0.0.0.0' }).host).toBe('0.0.0.0');
});

it('the editor is that of the .env files while they name one', () => {
  vi.stubEnv('LAUNCH_EDITOR', 'code');
  start({ REACT_EDITOR: 'vim', LAUNCH_EDITOR: 'code' });
  expect(process.env.LAUNCH_EDITOR).toBe('vim');
  start({ LAUNCH_EDITOR: 'code' });
  expect(process.env.LAUNCH_EDITOR).toBe('code');
  start({});
  expect(process.env).not.toHaveProperty('LAUNCH_EDITOR');
});
