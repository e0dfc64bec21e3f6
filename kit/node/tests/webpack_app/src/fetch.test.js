test('fetch is as in react-scripts, once whatwg-fetch is installed', () => {
  const open = jest.spyOn(XMLHttpRequest.prototype, 'open');
  fetch('/books').catch(() => {});
  expect(open).toHaveBeenCalledWith('GET', expect.any(String), true);
  expect(new Response('', { status: 204 }).status).toBe(204);
});
