const FRAME = /^ {2}File "(.+)", line (\d+)(?:, in (.+))?$/;
const BELOW_A_FRAME = /^ {4}| {2}\[Previous line repeated /;
const HEADER = /^(?:Exception Group )?Traceback \(most recent call last\):$/;
// How Python says what two exceptions have to do with one another, and how it is said here.
const RELATIONS = new Map([
  [
    'The above exception was the direct cause of the following exception:',
    'Caused by',
  ],
  [
    'During handling of the above exception, another exception occurred:',
    'While handling',
  ],
]);
const PRINTED_BEFORE = 'Printed before';
const GROUP = /^ {2}\+ Exception Group Traceback/m;
const MARGIN = /^( *)[|+] ?(.*)$/;
const PART = /^ *\+(?:-\+)?-{4,}(?: (\S+) -{4,})?$/;
const LIBRARY =
  /^<|\/(?:site|dist)-packages\/|\/lib\/python3\.\d+t?\/|\/python3\d+\.zip\/|\/python\/src\/react_flask_kit\/|^[a-z]:.*(?:python|conda|forge).*\/lib\//i;
const INNERMOST = 10;
const OUTERMOST = 3;

/**
 * Read what Python's `traceback.format_exception` has written.
 *
 * @param {string} text
 * @returns {{ text: string, relation?: string, frames: Frame[] }[]} the exception that was
 *   raised last, then those that led to it and those that it groups: what each says, what it
 *   has to do with the one before, and its frames, the innermost last
 * @typedef {{ file: string, line: number, name?: string, source: string[] }} Frame
 */
export function readTraceback(text) {
  const isGroup = GROUP.test(text);
  const exceptions = [{ text: '', frames: [] }];
  // Where the latest chain of exceptions begins, by the margin before it.
  const chains = new Map();
  let latest = exceptions[0];

  function follow(relation, margin) {
    const place = chains.get(margin) ?? 0;
    const former = exceptions[place];
    latest = { text: '', relation: former.relation, frames: [] };
    former.relation = relation;
    exceptions.splice(place, 0, latest);
  }

  for (const whole of text.split('\n')) {
    const part = isGroup && PART.exec(whole);
    if (part) {
      if (!part[1]) continue;
      chains.set(whole.lastIndexOf('+'), exceptions.length);
      latest = { text: '', relation: `Part ${part[1]}`, frames: [] };
      exceptions.push(latest);
      continue;
    }
    const [, { length: margin }, line] = (isGroup && MARGIN.exec(whole)) || [
      whole,
      '',
      whole,
    ];
    const isInFrames = latest.text.trim() === '';
    const [, file, number, name] = FRAME.exec(line) ?? [];
    if (RELATIONS.has(line)) follow(RELATIONS.get(line), margin);
    else if (HEADER.test(line)) {
      if (!isInFrames) follow(PRINTED_BEFORE, margin);
    } else if (file && isInFrames) {
      latest.frames.push({ file, line: Number(number), name, source: [] });
    } else if (isInFrames && BELOW_A_FRAME.test(line)) {
      latest.frames.at(-1)?.source.push(line);
    } else latest.text += `${line}\n`;
  }
  for (const exception of exceptions) exception.text = exception.text.trim();
  return exceptions;
}

/**
 * Tell whether a file belongs to a package, to this kit or to Python, and not to the project.
 *
 * @param {string} file as Python names it, on any system
 * @param {string} root the project's folder, whose own name says nothing
 * @returns {boolean}
 */
export function isLibrary(file, root) {
  const [path, folder] = [file, root].map((name) => name.replaceAll('\\', '/'));
  const isInside = path.toLowerCase().startsWith(`${folder.toLowerCase()}/`);
  return LIBRARY.test(isInside ? path.slice(folder.length) : path);
}

/**
 * Write the frames of an exception for Vite's overlay, the innermost first, as JavaScript does.
 *
 * @param {Frame[]} frames as `readTraceback` returns them
 * @param {string} root the project's folder
 * @returns {string[]} lines: the project's own code with links, and how many are in libraries;
 *   the libraries' innermost where there is nothing else
 */
export function writeFrames(frames, root) {
  const innermostFirst = frames.toReversed();
  const own = innermostFirst.filter(({ file }) => !isLibrary(file, root));
  const shown = own.length > 0 ? own : innermostFirst.slice(0, OUTERMOST);
  const inLibraries = frames.length - shown.length;
  const left = Math.max(shown.length - INNERMOST - OUTERMOST, 0);
  const lines = shown.map(({ file, line, name, source }) =>
    [`  ${file}:${line}:1 in ${name ?? 'this file'}`, ...source].join('\n'),
  );
  if (left > 0) lines.splice(INNERMOST, left, `  … ${left} more`);
  if (inLibraries > 0) lines.push(`  … ${inLibraries} in libraries`);
  return lines;
}
