// @ts-nocheck: what it is given is checked where it is called.
/** @import { Answer, KnownPath, Send } from 'react-flask-kit/types' */

// What fetch sends as it is; everything else is sent as JSON.
const SENT_AS_IS = [FormData, URLSearchParams, Blob, ArrayBuffer];
// Where Flask-WTF (by a cookie of yours) and Flask-JWT-Extended leave their token.
const CSRF_COOKIE = /(?:^|; )csrf_(?:access_)?token=([^;]+)/;

/** What went wrong with a request; its message is for the person to read. */
export class ApiError extends Error {
  /** The status of the answer, such as 401; 0 where there was none, or half of one. */
  status = 0;
  /**
   * What the API says of single fields, by their name: { age: 'must be a number' }.
   *
   * @type {Record<string, string>}
   */
  fields = {};
  /**
   * Its problem details (RFC 9457), if it sent any.
   *
   * @type {any}
   */
  problem = null;
}

/**
 * Get what the API answers, as JSON.
 *
 * @template {string} Path
 * @param {KnownPath<'GET', Path>} path what to ask for, such as '/books'
 * @param {{signal?: AbortSignal}} [options] how to give up
 * @returns {Promise<Answer<'GET', Path>>} the parsed JSON
 * @throws {ApiError} when there is none
 * @throws {DOMException} AbortError, when `signal` gave up
 */
export const getJson = (path, options) => send('GET', path, undefined, options);

/**
 * Send something to the API, and get what it answers.
 *
 * @type {Send}
 * @param method such as 'POST'
 * @param path where to, such as '/books'
 * @param body a value, to be sent as JSON; or FormData, URLSearchParams, a File
 * @param options how to give up, by `signal`
 * @returns the parsed JSON; undefined for a 204, which has none
 * @throws {ApiError} when the API refuses, or answers with no JSON
 * @throws {DOMException} AbortError, when `signal` gave up
 */
export const send = async (method, path, body, { signal } = {}) => {
  const failAs = (message) => (error) => {
    throw signal?.aborted ? error : new ApiError(message, { cause: error });
  };

  const headers = {};
  const isJson =
    body !== undefined &&
    !ArrayBuffer.isView(body) &&
    !SENT_AS_IS.some((as) => body instanceof as);
  if (isJson) headers['Content-Type'] = 'application/json';
  const [, token] = CSRF_COOKIE.exec(document.cookie) ?? [];
  const isOurs = new URL(path, document.baseURI).origin === window.origin;
  if (token && isOurs && method !== 'GET') headers['X-CSRF-Token'] = token;

  const response = await fetch(path, {
    method,
    headers,
    body: isJson ? JSON.stringify(body) : body,
    signal,
  }).catch(failAs('The server could not be reached. Is it running?'));
  if (!response.ok) throw await refusal(response, path);
  if (response.status === 204) return undefined;
  const type = response.headers.get('Content-Type') ?? 'an unnamed type';
  if (!/^[^;]+[/+]json\b/i.test(type)) {
    const got = `Expected JSON, got ${type.split(';')[0]} from ${path}`;
    throw Object.assign(new ApiError(got), { status: response.status });
  }
  return response.json().catch(failAs(`The JSON from ${path} is broken`));
};

async function refusal(response, path) {
  // RFC 9457: `title` names the kind of problem, `detail` how to solve it.
  const problem = await response.json().catch(() => null);
  const title = problem?.title ?? response.statusText;
  const status = `${response.status} ${title}`.trim();
  const message = problem?.detail
    ? `${status}:\n${problem.detail}`
    : `${status} from ${path}`;
  const errors = Array.isArray(problem?.errors) ? problem.errors : [];
  const fields = errors.map((error) => [
    String(error?.pointer).replace(/^#\//, ''),
    error?.detail,
  ]);
  return Object.assign(new ApiError(message), {
    status: response.status,
    fields: Object.fromEntries(fields),
    problem,
  });
}
