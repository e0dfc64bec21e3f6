module.exports = (tag) => `styled ${tag}`;
