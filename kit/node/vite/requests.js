/**
 * Tell whether a browser wants a document to show, and not data or a part of a page.
 *
 * That is the "destination" of the Fetch standard; clients that do not send it are judged by
 * Accept, as create-react-app's proxy did.
 *
 * @param {import('node:http').IncomingMessage} req
 * @returns {boolean}
 */
export function wantsDocument({ headers }) {
  const destination = headers['sec-fetch-dest'];
  return destination
    ? ['document', 'iframe', 'frame'].includes(destination)
    : /\btext\/html\b/.test(headers.accept ?? '');
}

/**
 * Tell whether a browser navigates: a GET or HEAD that wants a document. The page answers it
 * unless a route of the API does.
 *
 * @param {import('node:http').IncomingMessage} req
 * @returns {boolean}
 */
export function isNavigation(req) {
  return /^(GET|HEAD)$/.test(req.method) && wantsDocument(req);
}

/**
 * Tell whether a request is for index.html itself.
 *
 * create-react-app's conventions leave `urlInPage`, the address below PUBLIC_URL.
 *
 * @param {import('node:http').IncomingMessage} req
 * @returns {boolean}
 */
export function isForIndex({ method, urlInPage, originalUrl }) {
  const url = urlInPage ?? originalUrl;
  return /^(GET|HEAD)$/.test(method) && /^\/(index\.html)?([?#]|$)/.test(url);
}
