/**
 * Get what the API answers, as JSON.
 *
 * @param {string} path what to ask for, such as '/time'
 * @param {{signal?: AbortSignal}} [options] how to give up
 * @returns {Promise<any>} the parsed JSON
 * @throws {Error} when there is none; its message is for the person to read
 * @throws {DOMException} AbortError, when `signal` gave up
 */
export async function getJson(path, { signal } = {}) {
  const failAs = (message) => (error) => {
    throw signal?.aborted ? error : new Error(message, { cause: error });
  };

  const response = await fetch(path, { signal }).catch(
    failAs('The server could not be reached. Is it running?'),
  );
  if (!response.ok) {
    // RFC 9457: `title` names the kind of problem, `detail` how to solve it.
    const problem = await response.json().catch(() => null);
    const title = problem?.title ?? response.statusText;
    const status = `${response.status} ${title}`.trim();
    throw new Error(
      problem?.detail
        ? `${status}:\n${problem.detail}`
        : `${status} from ${path}`,
    );
  }
  const type = response.headers.get('Content-Type') ?? 'an unnamed type';
  if (!/^[^;]+[/+]json\b/i.test(type)) {
    throw new Error(`Expected JSON, got ${type.split(';')[0]} from ${path}`);
  }
  return response.json().catch(failAs(`The JSON from ${path} is broken`));
}
