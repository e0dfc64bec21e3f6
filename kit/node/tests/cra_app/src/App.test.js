import { render, screen } from '@testing-library/react';
import App from './App';

// Jest knows neither import.meta nor packages of ECMAScript modules.
jest.mock('./startWorker', () => () => ({ postMessage() {}, terminate() {} }));
jest.mock('mjs-package', () => ({ fromMjs: () => 'a fake' }));

// A busy machine takes its time.
jest.setTimeout(60_000);

test('renders with all that it imports', async () => {
  const { container } = render(<App />);
  const text = (id) => container.querySelector(`#${id}`).textContent;
  expect(screen.getByRole('heading')).toHaveTextContent('A fixture');
  expect(text('title')).toBe('The fixture');
  expect(text('greeting')).toBe('Hello from The fixture');
  expect(text('environment')).toBe('test');
  expect(text('local')).toBe('not in tests');
  expect(text('public-url')).toBe('');
  expect(text('cjs')).toBe(
    'default of cjs-package, named of cjs-package, test',
  );
  expect(text('mjs')).toBe('a fake');
  expect(text('json')).toBe('42');
  expect(text('typescript')).toBe('this is typed');
  expect(container.querySelector('#small')).toHaveAttribute('src', 'small.png');
  expect(container.querySelector('#svg')).toHaveAttribute('src', 'logo.svg');
  expect(container.querySelector('svg')).toHaveTextContent('logo.svg');
  expect(container.querySelector('.button')).toHaveTextContent('pressed 0');
  const lazy = await screen.findByText('lazy', {}, { timeout: 30_000 });
  expect(lazy).toBeInTheDocument();
});

test('has been set up by src/setupTests.js', () => {
  expect(globalThis.isSetUp).toBe(true);
});

test('may change process.env', () => {
  process.env.REACT_APP_TITLE = 'changed';
  expect(process.env.REACT_APP_TITLE).toBe('changed');
});
