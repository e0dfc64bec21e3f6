const { getUser } = <typeof import('../lib/api')>require('../lib/api');
const call = <jest.Mock<string>>jest.fn();

it('has types that JSX would be in another file', (done: jest.DoneCallback) => {
  call.mockReturnValue('called');
  expect(call()).toBe('called');
  expect(getUser(1)).toBe('user 1');
  done();
});
