module.exports = 'one of a package';
