import { render, screen } from '@testing-library/react';
import { getUser } from '../lib/api';

jest.mock('../lib/api', () => ({
  getUser: (id) => {
    const { add } = require('../lib/math');
    return `user ${add(id, 1)}`;
  },
}));

// What calls it here does not wait for it.
const names = ['a', 'b'].map((name) => require('cjs-greeter')(name));

function Page() {
  const config = require('../lib/config.json');
  const { add } = jest.requireActual('../lib/math');
  return <p>{add(config.answer, 1)}</p>;
}

test('functions that React or a list calls load modules too', () => {
  render(<Page />);
  expect(screen.getByText('43').tagName).toBe('P');
  expect(names).toEqual(['Hello a', 'Hello b']);
  expect(getUser(1)).toBe('user 2');
});
