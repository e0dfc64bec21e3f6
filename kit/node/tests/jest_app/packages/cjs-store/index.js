module.exports = { get: () => 'the real store', isReal: true };
