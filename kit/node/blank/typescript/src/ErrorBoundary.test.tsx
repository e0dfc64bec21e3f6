import { render, screen } from '@testing-library/react';
import ErrorBoundary from './ErrorBoundary';

function Broken(): never {
  throw new Error('The list has no length.');
}

test('shows what it surrounds', () => {
  render(<ErrorBoundary>All is well.</ErrorBoundary>);
  expect(screen.getByText('All is well.')).toBeInTheDocument();
});

test('shows a message and a way out when what it surrounds crashes', () => {
  const log = vi.spyOn(console, 'error').mockImplementation(() => {});
  render(
    <ErrorBoundary>
      <Broken />
    </ErrorBoundary>,
  );
  expect(screen.getByRole('alert')).toHaveTextContent(
    'The list has no length.',
  );
  expect(screen.getByRole('button')).toHaveTextContent('Reload the page');
  // React reports the crash, for whoever looks for it.
  expect(log).toHaveBeenCalled();
});
