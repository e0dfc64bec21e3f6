export const fromMjs = () => 'mjs-package';
