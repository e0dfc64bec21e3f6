exports.first = 'begun';
exports.first = require('./second').seen;
