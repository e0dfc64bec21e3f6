const { seenBy } = require('./module');

exports.late = typeof seenBy === 'function' ? 'late' : 'never';
