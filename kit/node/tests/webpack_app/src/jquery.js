window.jQuery = require('old-jquery');
require('old-plugin');

module.exports = window.jQuery.plugin;
