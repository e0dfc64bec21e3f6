import fs from 'node:fs';

const LINES_AROUND = 3;
const WIDEST = 500;

/**
 * Show the lines around a place, in the form that Vite's overlay recognises; Vite keeps the
 * function that makes it to itself.
 *
 * @param {object} place
 * @param {string} place.file
 * @param {number} place.line
 * @param {number} [place.column] where the line's text begins, unless given
 * @returns {string} empty where the file cannot be read, or has no such line
 */
export function codeFrame({ file, line, column }) {
  let lines;
  try {
    lines = fs.readFileSync(file, 'utf8').split(/\r?\n/);
  } catch {
    // Flask may run in a container, with other paths.
    return '';
  }
  const marked = lines[line - 1];
  if (marked === undefined) return '';
  const first = Math.max(1, line - LINES_AROUND);
  const width = String(line + LINES_AROUND).length;
  // The overlay trims the frame, so the first number must begin it.
  const row = (start, text) => `${String(start).padEnd(width)} | ${text}\n`;
  const before = marked.slice(0, column ? column - 1 : marked.search(/\S|$/));
  // A tab stays one, so that the mark is below what it marks.
  const mark = row('', `${before.replace(/\S/g, ' ')}^`);
  return lines
    .slice(first - 1, line + LINES_AROUND)
    .map((text, i) => row(first + i, cut(text)))
    .toSpliced(line - first + 1, 0, mark)
    .join('');
}

function cut(text) {
  return text.length > WIDEST ? `${text.slice(0, WIDEST)}…` : text;
}
