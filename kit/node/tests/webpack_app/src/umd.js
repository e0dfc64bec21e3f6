export const before = 'before';

(function (root, factory) {
  if (typeof exports === 'object' && typeof module !== 'undefined') {
    module.exports = factory();
  } else {
    root.umd = factory();
  }
})(window, () => 'of a window');
