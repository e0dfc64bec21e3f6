const NAME = /(?:export[^\S\n]+)?(?<name>[\w.-]+)[^\S\n]*=/;
const QUOTED =
  /[^\S\n]*(?:"(?<double>(?:\\[\s\S]|[^"\\])*)"|'(?<single>(?:\\[\s\S]|[^'\\])*)')[^\S\n]*(?:#.*)?/;
const PLAIN = /(?![^\S\n]*["'])(?<plain>.*)/;
const WRONG = /(?<wrong>[^#\s].*)/;
const LINE = new RegExp(
  `^[^\\S\\n]*(?:${NAME.source}(?:${QUOTED.source}|${PLAIN.source})|${WRONG.source})$`,
  'gm',
);

/**
 * Read the text of an .env file.
 *
 * One file is for both halves, so a value ends where it does for Flask (python-dotenv). Unlike
 * util.parseEnv() and dotenv since version 15, that leaves a "#" without a space before it
 * alone, as create-react-app did: A=#010203, A=https://example.com/#/page.
 *
 * @param {string} text
 * @param {(line: number, text: string) => void} [refuse] is told of what is not NAME=VALUE
 * @returns {Record<string, string>}
 */
export function parseEnvFile(text, refuse = () => {}) {
  // Editors on Windows may begin a file with a byte order mark.
  const unified = text.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n');
  const values = {};
  for (const { index, groups } of unified.matchAll(LINE)) {
    const { name, double, single, plain, wrong } = groups;
    if (wrong) {
      refuse(unified.slice(0, index).split('\n').length, wrong.trim());
    } else {
      values[name] =
        double?.replaceAll('\\n', '\n') ??
        single ??
        plain.replace(/\s#.*/, '').trim();
    }
  }
  return values;
}
