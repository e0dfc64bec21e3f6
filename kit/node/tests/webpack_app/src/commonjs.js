exports.named = 'named';
['computed'].forEach((name) => {
  exports[name] = name;
});
