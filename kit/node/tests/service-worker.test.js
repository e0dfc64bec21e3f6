/** What a service worker is told to cache. */
import { listToCache } from '../vite/create-react-app/service-worker.js';

const list = (files, publicUrl = '', warn = () => {}) => {
  const bundle = Object.fromEntries(
    Object.entries(files).map(([fileName, it]) => [
      fileName,
      { fileName, ...it },
    ]),
  );
  return listToCache(bundle, publicUrl, warn);
};
const urls = (files, publicUrl) => list(files, publicUrl).map(({ url }) => url);

it('are files of the build, but for maps, licences and the manifest', () => {
  const files = {
    'index.html': { source: '<p>' },
    'static/js/main.AbCd-_12.js': { code: '1' },
    'static/js/main.AbCd-_12.js.map': { source: '{}' },
    'static/js/main.AbCd-_12.js.LICENSE.txt': { source: '' },
    'static/media/a.AbCd-_12.png': { source: new Uint8Array([1]) },
    'asset-manifest.json': { source: '{}' },
  };
  expect(urls(files)).toEqual([
    '/index.html',
    '/static/js/main.AbCd-_12.js',
    '/static/media/a.AbCd-_12.png',
  ]);
  expect(urls({ 'index.html': { source: '' } }, '/app')).toEqual([
    '/app/index.html',
  ]);
  expect(urls({ 'index.html': { source: '' } }, '.')).toEqual(['./index.html']);
});

it('have a revision that follows the content, where the name does not', () => {
  const revisions = (files) => list(files).map(({ revision }) => revision);
  const [one] = revisions({ 'index.html': { source: 'one' } });
  const [two] = revisions({ 'index.html': { source: 'two' } });
  expect(one).toMatch(/^[\da-f]{32}$/);
  expect(two).not.toBe(one);
  expect(revisions({ 'index.html': { source: 'one' } })).toEqual([one]);
  expect(revisions({ 'static/js/a.AbCd-_12.chunk.js': { code: '' } })).toEqual([
    null,
  ]);
  // No hash, although it is as long as one.
  expect(revisions({ 'a.AbCd-_12.js': { code: '' } })).not.toEqual([null]);
});

it('are not larger than 5 MB', () => {
  const warn = vi.fn();
  const source = new Uint8Array(5 * 1024 * 1024 + 1);
  expect(list({ 'static/media/a.AbCd-_12.mp4': { source } }, '', warn)).toEqual(
    [],
  );
  expect(warn).toHaveBeenCalledWith(
    'static/media/a.AbCd-_12.mp4 is larger than 5 MB: the service worker does not cache it.',
  );
});
