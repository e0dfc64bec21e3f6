import { act, fireEvent, render, screen } from '@testing-library/react';
import React from 'react';
import App from './App';
import { getJson } from './api';

const TIME = 1763808000.123;

const { fetch } = globalThis;
const { error } = console;
let requests;
let complaints;

/** Record each request until the test answers it; give up when told, as fetch does. */
function fakeFetch(url, { signal }) {
  return new Promise((resolve, reject) => {
    signal?.addEventListener('abort', () => reject(new Error('aborted')));
    const request = { url, signal };
    request.answer = (response) => act(async () => resolve(response));
    request.fail = (reason) => act(async () => reject(reason));
    // What else the page asks is for other tests.
    if (url === '/time') requests.push(request);
  });
}

function response(status, type, body, statusText = '') {
  const headers = { 'content-type': type };
  return {
    ok: status >= 200 && status < 300,
    status,
    statusText,
    headers: { get: (name) => headers[name.toLowerCase()] ?? null },
    json: async () => JSON.parse(body),
  };
}

const json = (body) => response(200, 'application/json', JSON.stringify(body));
const problem = (status, fields) =>
  response(
    status,
    'application/problem+json',
    JSON.stringify({ type: 'about:blank', status, ...fields }),
  );

beforeEach(() => {
  requests = [];
  complaints = [];
  globalThis.fetch = fakeFetch;
  console.error = (...message) => complaints.push(message);
});

afterEach(() => {
  globalThis.fetch = fetch;
  console.error = error;
  expect(complaints).toEqual([]);
});

test('asks the API for /time, once', async () => {
  render(<App />);
  await requests[0].answer(json({ time: TIME }));
  expect(requests.map(({ url }) => url)).toEqual(['/time']);
});

test('says that it is asking until the answer comes, and shows no time', () => {
  render(<App />);
  expect(screen.getByRole('status')).toHaveTextContent('Asking for the time…');
  expect(screen.getByRole('status')).not.toHaveTextContent(/\d/);
  expect(screen.getByRole('alert')).toBeEmptyDOMElement();
});

test('shows the time as a number and as a person reads it', async () => {
  render(<App />);
  const status = screen.getByRole('status');
  await requests[0].answer(json({ time: TIME }));

  expect(status).toHaveTextContent('The current time is 1763808000.123.');
  const time = status.querySelector('time');
  expect(time).toHaveAttribute('datetime', '2025-11-22T10:40:00.123Z');
  expect(time).toHaveTextContent(new Date(TIME * 1000).toLocaleTimeString());
  expect(status).not.toHaveTextContent('Asking');
  expect(screen.getByRole('alert')).toBeEmptyDOMElement();
});

test('shows the first second of 1970, which is the number 0', async () => {
  render(<App />);
  await requests[0].answer(json({ time: 0 }));
  expect(screen.getByRole('status')).toHaveTextContent('time is 0.');
});

const HTML = 'text/html; charset=utf-8';
const NOT_A_NUMBER = 'Expected a number "time" in the JSON from /time';

test.each([
  [
    'a problem with a detail',
    problem(503, {
      title: 'Service Unavailable',
      detail: 'Start the API with: yarn start-api',
    }),
    '503 Service Unavailable: Start the API with: yarn start-api',
  ],
  [
    'a problem without a detail',
    problem(500, { title: 'Internal Server Error' }),
    '500 Internal Server Error from /time',
  ],
  [
    'a problem without a title',
    problem(503, { detail: 'Come back at noon.' }),
    '503: Come back at noon.',
  ],
  [
    'a problem that is cut short',
    response(500, 'application/problem+json', '{"title":', 'Server Error'),
    '500 Server Error from /time',
  ],
  [
    'an error page',
    response(404, HTML, '<h1>Not Found</h1>', 'NOT FOUND'),
    '404 NOT FOUND from /time',
  ],
  [
    'an error over HTTP/2, which has no status text',
    response(502, HTML, '<h1>Bad Gateway</h1>'),
    '502 from /time',
  ],
  [
    'a page in place of JSON',
    response(200, HTML, '<!DOCTYPE html>'),
    'Expected JSON, got text/html from /time',
  ],
  [
    'no content type',
    response(200, undefined, ''),
    'Expected JSON, got an unnamed type from /time',
  ],
  [
    'JSON that is cut short',
    response(200, 'application/json', '{"time": 17638'),
    'The JSON from /time is broken',
  ],
  ['JSON without a time', json({ now: TIME }), NOT_A_NUMBER],
  ['a time that is not a number', json({ time: `${TIME}` }), NOT_A_NUMBER],
  ['a time that is null', json({ time: null }), NOT_A_NUMBER],
  ['nothing but null', json(null), NOT_A_NUMBER],
])('names what went wrong when the answer is %s', async (_, answer, message) => {
  render(<App />);
  await requests[0].answer(answer);
  expect(screen.getByRole('alert').lastChild).toHaveTextContent(
    new RegExp(`^${message}$`),
  );
  expect(screen.getByRole('status')).toBeEmptyDOMElement();
});

test('says that the server could not be reached when the network is down', async () => {
  render(<App />);
  await requests[0].fail(new TypeError('Failed to fetch'));
  expect(screen.getByRole('alert')).toHaveTextContent(
    'The current time is unknown.The server could not be reached.',
  );
});

test('tries again after a failure, and keeps the focus', async () => {
  render(<App />);
  await requests[0].fail(new TypeError('Failed to fetch'));
  const button = screen.getByRole('button', { name: 'Try again' });
  button.focus();

  fireEvent.click(button);
  expect(screen.getByRole('alert')).toBeEmptyDOMElement();
  expect(screen.getByRole('status')).toHaveTextContent('Asking');
  expect(button).toBeEnabled();
  await requests[1].answer(json({ time: TIME }));

  expect(screen.getByRole('status')).toHaveTextContent(`${TIME}`);
  expect(requests).toHaveLength(2);
  expect(button).toHaveTextContent('Ask again');
  expect(button).toHaveFocus();
});

test('asks one question at a time, however often the button is pressed', async () => {
  render(<App />);
  fireEvent.click(screen.getByRole('button'));
  fireEvent.click(screen.getByRole('button'));
  expect(requests).toHaveLength(1);
  await requests[0].answer(json({ time: TIME }));
  expect(screen.getByRole('status')).toHaveTextContent(`${TIME}`);
});

test('aborts the request when it is removed from the page', async () => {
  const { unmount } = render(<App />);
  expect(requests[0].signal.aborted).toBe(false);
  unmount();
  expect(requests[0].signal.aborted).toBe(true);
});

test('getJson rejects as fetch does when its caller aborts', async () => {
  const request = new AbortController();
  const answer = getJson('/time', request);
  request.abort();
  await expect(answer).rejects.toThrow('aborted');
});

test('applies one answer under StrictMode, which mounts twice', async () => {
  render(
    <React.StrictMode>
      <App />
    </React.StrictMode>,
  );
  expect(requests.map(({ signal }) => signal.aborted)).toEqual([true, false]);
  await act(async () => {});
  expect(screen.getByRole('status')).toHaveTextContent('Asking');
  expect(screen.getByRole('alert')).toBeEmptyDOMElement();

  await requests[1].answer(json({ time: TIME }));
  expect(screen.getAllByText(`${TIME}`)).toHaveLength(1);
});
