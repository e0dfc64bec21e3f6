import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { codeFrame } from '../code-frame.js';
import { isLibrary, readTraceback, writeFrames } from './traceback.js';

const LONGEST_MESSAGE = 2_000;
const LONGEST_CAUSE = 500;
const LONGEST_STACK = 20_000;

/**
 * Turn a Python exception, or what else keeps the API from answering, into what Vite's error
 * overlay shows.
 *
 * @param {Crash} crash as react_flask_kit.errors describes it
 * @param {string | undefined} request what was asked, such as 'GET /time'
 * @param {string} root the project's folder
 * @returns {object} the `err` of Vite's HMR message of type 'error', and what its message
 *   consists of, which overlay-client.js shows apart: `exception`, `request` and `cure`
 * @typedef {{ exception: string, traceback: string, file?: string, line?: number,
 *   cure?: string }} Crash
 */
export function overlayError(crash, request, root) {
  const { cure } = crash;
  const [said, traceback] = [crash.exception, crash.traceback].map(
    stripVTControlCharacters,
  );
  const exceptions = readTraceback(traceback);
  const place = placeOf(crash, exceptions, root);
  const exception = cut(withNotes(said, exceptions[0].text), LONGEST_MESSAGE);
  return {
    plugin: 'flask',
    message: [exception, request, cure].filter(Boolean).join('\n\n'),
    exception,
    request,
    cure,
    ...(place && { id: place.file, loc: { ...place, column: 1 } }),
    frame: place ? codeFrame(place) : '',
    stack: cut(writeStack(exceptions, said, root), LONGEST_STACK),
  };
}

/** Prefer the project's own code to a library's, and a file to what has only a name. */
function placeOf({ file, line }, exceptions, root) {
  // Python may run on another system than Vite, such as in a container.
  const isTold = file && path.win32.isAbsolute(file) && line;
  const told = isTold ? { file, line } : undefined;
  if (told && !isLibrary(file, root)) return told;
  const own = exceptions
    .flatMap(({ frames }) => frames.toReversed())
    .find((frame) => !isLibrary(frame.file, root));
  return own ? { file: own.file, line: own.line } : told;
}

/** Add the notes of `add_note`, which the traceback alone tells. */
function withNotes(exception, text) {
  const start = text.indexOf(exception);
  return start < 0 ? exception : text.slice(start);
}

function writeStack(exceptions, exception, root) {
  return exceptions
    .map(({ text, relation, frames }) => {
      const lines = writeFrames(frames, root);
      const said = cut(text, LONGEST_CAUSE);
      if (relation) return [`${relation}: ${said}`, ...lines].join('\n');
      // A command that failed has printed more than its exception says.
      const isSaid = text.includes(exception) || exception.startsWith(text);
      return [...lines, isSaid ? '' : said].filter(Boolean).join('\n');
    })
    .filter(Boolean)
    .join('\n\n');
}

function cut(text, length) {
  if (text.length <= length) return text;
  const left = (text.length - length).toLocaleString('en');
  return `${text.slice(0, length)}… (${left} more characters)`;
}
