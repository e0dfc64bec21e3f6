exports.seen = `the first has ${require('./first').first}`;
