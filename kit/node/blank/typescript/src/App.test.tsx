import { render, screen } from '@testing-library/react';
import App from './App';

function answerWith(body: object, status: number) {
  vi.spyOn(globalThis, 'fetch').mockImplementation(async () =>
    Response.json(body, { status }),
  );
}

test('shows what the API answers', async () => {
  answerWith({ text: 'Hello!' }, 200);
  render(<App />);
  expect(await screen.findByText('Hello!')).toBeInTheDocument();
  expect(fetch).toHaveBeenCalledWith('/greeting', expect.anything());
});

test('says why there is no answer', async () => {
  answerWith({ title: 'Not Found', detail: 'There is no /greeting.' }, 404);
  render(<App />);
  expect(await screen.findByRole('alert')).toHaveTextContent(
    '404 Not Found: There is no /greeting.',
  );
});
