declare const module: any;
declare var require: (path: string) => any;

module.exports = require('./lang/de');
