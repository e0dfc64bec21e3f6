import OldWorker from './old.worker';

/** Start workers in each of the forms that webpack knows. */
export default function startWorkers() {
  const options = { name: 'options' };
  return Promise.all(
    [
      new Worker(new URL('./worker.js', import.meta.url), { name: 'calc' }),
      new Worker(
        // A comment, as editors leave it (or not).
        new URL('./worker.js', import.meta.url),
      ),
      new Worker(new URL('./worker.js', import.meta.url), options),
      new OldWorker(),
    ].map(
      (worker) =>
        new Promise((resolve, reject) => {
          worker.onmessage = ({ data }) => resolve(data);
          worker.onerror = reject;
          worker.postMessage(21);
        }),
    ),
  );
}
