declare var require: any;

const { code }: { code: string } = require('./lang/de');

export default code;
