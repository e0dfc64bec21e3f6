import { STATUS_CODES } from 'node:http';

/** The media type of problem details (RFC 9457). */
export const PROBLEM = 'application/problem+json';
/** What an answer depends on where the page and JSON share an address. */
export const VARY = 'Accept, Sec-Fetch-Dest';

// Who makes the preview of a link asks for anything, and wants the page.
const PREVIEW =
  /facebookexternalhit|twitterbot|linkedinbot|slackbot|discordbot|telegrambot|whatsapp|pinterest|redditbot|skypeuripreview|applebot|googlebot|bingbot/i;
// The kit's own addresses, whose JSON is for a person too.
const OWN = ['/health', '/ready', '/openapi.json'];

/**
 * Tell whether a browser wants a document to show, and not data or a part of a page.
 *
 * That is the "destination" of the Fetch standard; clients that do not send it are judged by
 * Accept, as create-react-app's proxy did, and by name if they make previews of links.
 *
 * @param {import('node:http').IncomingMessage} req
 * @returns {boolean}
 */
export function wantsDocument({ headers }) {
  const destination = headers['sec-fetch-dest'];
  return destination
    ? ['document', 'iframe', 'frame'].includes(destination)
    : /\btext\/html\b/.test(headers.accept ?? '') ||
        PREVIEW.test(headers['user-agent'] ?? '');
}

/**
 * Tell whether a browser navigates: a GET or HEAD that wants a document.
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

/**
 * Tell whether an answer is JSON that is data, or says that there is none.
 *
 * @param {import('node:http').IncomingMessage} answer
 * @returns {boolean}
 */
export function isJson({ headers }) {
  return /^[^;]+[/+]json\b/i.test(headers['content-type'] ?? '');
}

/**
 * Tell whether the page takes the place of what the API answers a navigation.
 *
 * It does where the API has no route, and where it answers with JSON that is data or says that
 * there is none, or none without sign-in. All else stands. react_flask_kit.navigation decides
 * by the same rule in production.
 *
 * @param {import('node:http').IncomingMessage} answer
 * @param {string} path that was asked for
 * @param {boolean} hasNoRoute where that is known
 * @returns {boolean}
 */
export function givesWay(answer, path, hasNoRoute) {
  const { statusCode, headers } = answer;
  if (hasNoRoute && [404, 405].includes(statusCode)) return true;
  const isData = statusCode >= 200 && statusCode < 300;
  if (!isData && ![401, 403, 404, 405].includes(statusCode)) return false;
  const stands =
    OWN.includes(path) ||
    'content-disposition' in headers ||
    (statusCode === 401 && 'www-authenticate' in headers);
  return !stands && isJson(answer);
}

/**
 * Tell whether the page itself asks, and not another website: by what a browser says of who
 * asks (Fetch Metadata), or by the Referer where it says nothing, as on http://192.168.0.2.
 *
 * @param {import('node:http').IncomingMessage} req
 * @returns {boolean}
 */
export function isFromPage({ headers }) {
  const site = headers['sec-fetch-site'];
  if (site) return site === 'same-origin';
  const { referer = '', host = headers[':authority'] } = headers;
  return URL.canParse(referer) && new URL(referer).host === host;
}

/**
 * Answer with problem details, as the API does.
 *
 * @param {import('node:http').IncomingMessage} req
 * @param {import('node:http').ServerResponse} res
 * @param {number} status
 * @param {string} detail
 */
export function answerProblem(req, res, status, detail) {
  const title = STATUS_CODES[status];
  const instance = req.originalUrl.split('?')[0];
  res.writeHead(status, {
    'Content-Type': PROBLEM,
    'Cache-Control': 'no-store',
  });
  res.end(
    JSON.stringify({ type: 'about:blank', title, status, detail, instance }),
  );
  req.resume();
}
