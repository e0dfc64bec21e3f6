const { answer } = require('./lib/settings');

global.answerAtSetup = answer();
