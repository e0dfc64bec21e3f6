exports.code = 'de';
