// Part of the built page: one that was opened before a release may ask for a part that is gone.
window.addEventListener('vite:preloadError', () => {
  const reloaded = `reloaded: ${import.meta.url}`;
  // From the same build a second time, or without a network, it would not help.
  if (sessionStorage.getItem(reloaded) || !navigator.onLine) return;
  sessionStorage.setItem(reloaded, 'yes');
  window.location.reload();
});
