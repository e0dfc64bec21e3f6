import { computed } from './commonjs';
import { name as late } from './late';
import values from './values';

jest.mock('./late', () => ({ name: 'a mock' }));
jest.mock('./ecmascript', () => ({
  __esModule: true,
  default: 'mocked',
  live: () => 'mock',
}));
jest.mock('react-native', () => ({ name: 'a fake' }));
jest.mock('./startWorkers', () => async () => 'none');
jest.mock('regenerator-package', () => async () => 'works');

test('what is required can be replaced', async () => {
  global.__webpack_public_path__ = '/';
  const found = await values();
  expect(found['order of effects']).toEqual(['before', 'a mock']);
  expect(found['ES module required'].slice(0, 2)).toEqual(['mocked', true]);
  expect(found['react-native']).toBe('a fake');
});

test('a test imports what CommonJS exports by any name', () => {
  expect(computed).toBe('computed');
  expect(late).toBe('a mock');
});
