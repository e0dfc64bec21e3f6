import path from 'path';
import expected from './expected.json';
import values from './values';

// A test's window has none, and Jest compiles no packages.
jest.mock('./startWorkers', () => async () => 'none');
jest.mock('regenerator-package', () => async () => 'works');

test('has what webpack and Babel gave it', async () => {
  global.__webpack_public_path__ = '/';
  expect(await values()).toEqual({
    ...expected,
    workers: 'none',
    __dirname: [__dirname, path.join(__dirname, 'values.js')],
  });
});
