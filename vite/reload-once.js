// Part of the built page: one that was opened before a release may ask for a part that is gone.
window.addEventListener('vite:preloadError', (event) => {
  const reloaded = `reloaded: ${event.payload.message}`;
  // A second time it would not help.
  if (sessionStorage.getItem(reloaded)) return;
  sessionStorage.setItem(reloaded, 'yes');
  window.location.reload();
});
