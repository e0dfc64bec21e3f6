// As it stands in public/: no module, and nothing for a bundler.
window.fromLib = `${typeof window.fromLib}, ${document.querySelectorAll('link').length}`;
