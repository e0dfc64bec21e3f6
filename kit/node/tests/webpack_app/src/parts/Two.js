module.exports = { name: 'Two' };
