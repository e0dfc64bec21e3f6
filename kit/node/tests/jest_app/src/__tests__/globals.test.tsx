import { expect, jest, test } from '@jest/globals';
import { getUser } from '../lib/api';

jest.mock('../lib/api', () => ({ getUser: () => 'mocked' }));

const real = () =>
  jest.requireActual<typeof import('../lib/api')>('../lib/api').getUser(1);

test('what is global can be imported, and has types', (done: () => void) => {
  expect(getUser(1)).toBe('mocked');
  expect(real()).toBe('user 1');
  done();
});
