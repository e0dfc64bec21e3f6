import greet from 'cjs-greeter';
import store, { get } from 'cjs-store';
import made from 'made-by-a-mock';
import Client, * as api from '../lib/api';
import { width } from '../lib/generated';
import * as math from '../lib/math';
import { size } from '../lib/size';

jest.mock('made-by-a-mock', () => () => 'made', { virtual: true });
jest.mock('../lib/generated', () => ({ width: 3 }), { virtual: true });
jest.mock('cjs-greeter');
jest.mock('../lib/api', () => {
  const mock = jest.createMockFromModule('../lib/api');
  mock.name = 'half a mock';
  return mock;
});

test('a package is mocked by src/__mocks__ without a call', () => {
  expect(get()).toBe('the store of src/__mocks__');
  expect(store.isReal).toBe(true);
  expect(require('cjs-store').get()).toBe('the store of src/__mocks__');
  expect(jest.requireActual('cjs-store').get()).toBe('the real store');
});

test('a package without one has a mock for each function', () => {
  expect(greet('Ada')).toBeUndefined();
  greet.mockReturnValue('Hi');
  expect(require('cjs-greeter')('Ada')).toBe('Hi');
});

test('a mock can be of what does not exist', () => {
  expect(made()).toBe('made');
  expect(width).toBe(3);
  expect(size()).toBe(6);
});

test('createMockFromModule gives a module of mocks', () => {
  expect(api.getUser(1)).toBeUndefined();
  expect(api.name).toBe('half a mock');
  expect(jest.isMockFunction(Client)).toBe(true);
  expect(jest.requireMock('../lib/api').name).toBe('half a mock');
});

test('what an arrow function of a mock returns is what new returns', () => {
  const send = jest.fn();
  Client.mockImplementation(() => ({ get: () => 'from the mock' }));
  expect(new Client().get()).toBe('from the mock');
  const Socket = jest.fn(() => ({ send }));
  new Socket('ws:').send(1);
  expect(Socket).toHaveBeenCalledWith('ws:');
  expect(send).toHaveBeenCalledWith(1);
  Client.mockReturnValue({ get: () => 'returned' });
  expect(new Client().get()).toBe('returned');
});

test('exports of a module can be spied upon and replaced', () => {
  const add = jest.spyOn(math, 'add').mockReturnValue(9);
  expect(math.add(1, 1)).toBe(9);
  expect(require('../lib/math').add(1, 1)).toBe(9);
  add.mockRestore();
  expect(math.add(1, 1)).toBe(2);
  const { next } = math;
  math.next = jest.fn(() => 'replaced');
  expect(require('../lib/math').next()).toBe('replaced');
  math.next = next;
});

const notTeardown = jest.fn();
beforeEach(() =>
  notTeardown.mockImplementation((context) => context.missing()),
);

const once = jest.fn(() => 'forgotten');
const spied = { method: () => 'real' };
jest.spyOn(spied, 'method');

test('what a mock did before the tests is reset', () => {
  expect(once()).toBeUndefined();
  expect(spied.method()).toBeUndefined();
});

test('jest.mock in a test is for what the test loads', () => {
  jest.mock('../lib/settings', () => ({ answer: () => 'mocked' }));
  expect(require('../lib/settings').answer()).toBe('mocked');
});
