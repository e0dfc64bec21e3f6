import { getUser, name } from '../lib/api';

jest.mock('../lib/api');
jest.unmock('cjs-store');

test('a module is mocked by the __mocks__ beside it', () => {
  expect(getUser(1)).toBe('a user of __mocks__');
  expect(name).toBe('a mock');
  expect(require('../lib/api')).toEqual({ getUser, name: 'a mock' });
});

test('unmock() gives the package itself', () => {
  expect(require('cjs-store').get()).toBe('the real store');
});
