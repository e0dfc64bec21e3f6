/** Who asks, by what a browser says of it. */
import { isFromPage } from '../vite/requests.js';

it.each([
  [{ 'sec-fetch-site': 'same-origin' }, true],
  [{ 'sec-fetch-site': 'same-site' }, false],
  [{ 'sec-fetch-site': 'cross-site' }, false],
  [{ 'sec-fetch-site': 'none' }, false],
  [{ 'sec-fetch-site': 'cross-site', referer: 'http://a:3000/' }, false],
  [{ referer: 'http://a:3000/b?c' }, true],
  [{ referer: 'http://a/' }, false],
  [{ referer: 'http://b:3000/' }, false],
  [{ referer: 'http://b/http://a:3000/' }, false],
  [{ referer: 'http://a:3000@b/' }, false],
  [{ referer: 'a:3000' }, false],
  [{}, false],
])('of %j the page itself asks: %s', (headers, isIts) => {
  expect(isFromPage({ headers: { host: 'a:3000', ...headers } })).toBe(isIts);
});

it('by HTTP/2 the host is the authority', () => {
  const headers = { ':authority': 'a:3000', referer: 'https://a:3000/' };
  expect(isFromPage({ headers })).toBe(true);
});
