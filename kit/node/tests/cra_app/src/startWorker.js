export default function startWorker() {
  return new Worker(new URL('./worker.js', import.meta.url));
}
