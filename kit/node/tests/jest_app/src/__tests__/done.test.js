let ready = '';

beforeAll((done) => {
  setTimeout(() => {
    ready += 'all';
    done();
  }, 5);
});

beforeEach((cb) => {
  ready += ', each';
  Promise.resolve().then(() => cb());
});

test('waits until done() is called', (done) => {
  expect(ready).toBe('all, each');
  setTimeout(() => {
    expect(ready).toBe('all, each');
    done();
  }, 5);
});

it.each([
  [1, 2],
  [3, 4],
])('%i before %i, with a callback after the row', (a, b, done) => {
  expect(a).toBeLessThan(b);
  setTimeout(done, 1);
});

test.each`
  a    | b
  ${1} | ${2}
  ${3} | ${4}
`('$a before $b in a table', ({ a, b }, done) => {
  expect(a).toBeLessThan(b);
  setTimeout(done, 1);
});

test('has the matchers and timers of Jest 27', () => {
  const call = jest.fn((x) => x);
  call(1);
  call(2);
  expect(call).toBeCalledTimes(2);
  expect(call).lastCalledWith(2);
  expect(call).nthCalledWith(1, 1);
  expect(call).toReturnTimes(2);
  expect(call).toReturnWith(1);
  expect(call).lastReturnedWith(2);
  expect(call).not.toBeCalledWith(3);
});

test.todo('is not written yet');

describe('timers', () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  test('legacy ones are mocks', () => {
    jest.useFakeTimers('legacy');
    const call = jest.fn();
    setTimeout(call, 1000);
    expect(setTimeout).toHaveBeenCalledTimes(1);
    expect(setTimeout).toHaveBeenLastCalledWith(expect.any(Function), 1000);
    jest.runAllTimers();
    expect(call).toBeCalled();
  });

  test('modern ones know the date', () => {
    jest.useFakeTimers('modern').setSystemTime(new Date('2020-01-01'));
    const call = jest.fn();
    setTimeout(call, 1000);
    jest.advanceTimersByTime(1000);
    expect(call).toHaveBeenCalledTimes(1);
    expect(new Date().getUTCFullYear()).toBe(2020);
  });
});

test('globals of the browser can be replaced', () => {
  window.matchMedia = jest.fn().mockReturnValue({ matches: true });
  global.fetch = jest.fn(() => Promise.resolve({ ok: true }));
  expect(matchMedia('print').matches).toBe(true);
  const title = jest.spyOn(document, 'title', 'get').mockReturnValue('mine');
  expect(document.title).toBe('mine');
  title.mockRestore();
  delete window.location;
  window.location = { assign: jest.fn() };
  window.location.assign('/');
  expect(window.location.assign).toBeCalledWith('/');
  const getItem = jest.spyOn(Storage.prototype, 'getItem').mockReturnValue('x');
  expect(localStorage.getItem('y')).toBe('x');
  getItem.mockRestore();
  return expect(fetch('/')).resolves.toEqual({ ok: true });
});
