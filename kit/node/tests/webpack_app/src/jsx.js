const { renderToStaticMarkup } = require('react-dom/server');

module.exports = renderToStaticMarkup(<b>bold</b>);
