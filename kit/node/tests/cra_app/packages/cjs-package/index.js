// As Babel compiles a module: webpack and Jest take its default export for the default import.
Object.defineProperty(exports, '__esModule', { value: true });
exports.default = () => 'default of cjs-package';
exports.named = () => `named of cjs-package, ${process.env.NODE_ENV}`;
