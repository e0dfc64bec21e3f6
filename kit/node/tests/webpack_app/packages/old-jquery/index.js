module.exports = { fn: {} };
