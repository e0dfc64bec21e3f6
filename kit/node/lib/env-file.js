const SPACES = /\p{White_Space}*/uy;
const BLANKS = /[^\P{White_Space}\n]*/uy;
const EXPORT = /export[^\P{White_Space}\n]+/uy;
const NAME = /'([^']+)'|((?!')[^=#\p{White_Space}]+)/uy;
const EQUALS = /=([^\P{White_Space}\n]*)/uy;
const QUOTED = /(["'])((?:\\.|(?!\1)[^\\])*)\1/suy;
const REST_OF_LINE = /[^\n]*/y;
const END_OF_LINE = /[^\P{White_Space}\n]*(?:#[^\n]*)?(?:\n|$)/uy;
const COMMENT = /\p{White_Space}+(?:#.*)?$/u;
const ESCAPES = { '"': /\\([\\'"abfnrtv])/g, "'": /\\([\\'])/g };
const ESCAPED = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};
const REFERENCE = /\$\{([^}:]*)(?::-([^}]*))?\}/g;

/**
 * Read the text of an .env file.
 *
 * One file is for both halves, so it is read as Flask (python-dotenv) does. Unlike
 * util.parseEnv() and dotenv since version 15, that leaves a "#" without a space before it
 * alone, as create-react-app did: A=#010203, A=https://example.com/#/page.
 *
 * @param {string} text
 * @param {(line: number, text: string) => void} [refuse] is told of what is not NAME=VALUE
 * @returns {Record<string, string>} with references such as ${NAME} as they are
 */
export function parseEnvFile(text, refuse) {
  const settings = Object.fromEntries(settingsOf(text, refuse));
  const isSet = ([, value]) => value !== undefined;
  return Object.fromEntries(Object.entries(settings).filter(isSet));
}

/**
 * Read the text of an .env file, and replace ${NAME} and ${NAME:-default} as Flask does: by
 * what a line above says, or else the environment.
 *
 * @param {string} text
 * @param {Record<string, string | undefined>} env the environment
 * @returns {Record<string, string | undefined>} undefined for a name without "=", which hides
 *   what another file says
 */
export function resolveEnvFile(text, env) {
  const values = {};
  for (const [name, value] of settingsOf(text)) {
    values[name] = value?.replace(REFERENCE, (_, other, fallback = '') => {
      if (Object.hasOwn(values, other)) return values[other] ?? '';
      return Object.hasOwn(env, other) ? (env[other] ?? '') : fallback;
    });
  }
  return values;
}

/** Yield each name with its value; without one, where there is no "=". */
function* settingsOf(text, refuse = () => {}) {
  // Editors on Windows may begin a file with a byte order mark.
  const unified = text.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n');
  const reader = new Reader(unified);
  for (;;) {
    reader.take(SPACES);
    if (!reader.next) return;
    const start = reader.position;
    const setting = readSetting(reader);
    if (!setting) {
      reader.take(REST_OF_LINE);
      const before = unified.slice(0, start).split('\n');
      refuse(before.length, unified.slice(start).split('\n', 1)[0].trim());
    } else if (setting.name !== undefined) {
      yield [setting.name, setting.value];
    }
  }
}

/** Read a setting or a comment to the end of its line; undefined where it is neither. */
function readSetting(reader) {
  const setting = {};
  reader.take(EXPORT);
  if (reader.next !== '#') {
    const name = reader.take(NAME);
    if (!name) return undefined;
    setting.name = name[1] ?? name[2];
    reader.take(BLANKS);
    if (reader.next === '=') {
      setting.value = readValue(reader);
      if (setting.value === undefined) return undefined;
    }
  }
  return reader.take(END_OF_LINE) ? setting : undefined;
}

function readValue(reader) {
  const [, blanks] = reader.take(EQUALS);
  if (blanks && reader.next === '#') return '';
  if (!/["']/.test(reader.next)) {
    return reader.take(REST_OF_LINE)[0].replace(COMMENT, '');
  }
  const [, quote, text] = reader.take(QUOTED) ?? [];
  return text?.replace(ESCAPES[quote], (_, it) => ESCAPED[it] ?? it);
}

/** A text, and how far it has been read. */
class Reader {
  position = 0;

  constructor(text) {
    this.text = text;
  }

  get next() {
    return this.text[this.position];
  }

  /** Read on by a sticky pattern; null where it does not fit. */
  take(pattern) {
    pattern.lastIndex = this.position;
    const match = pattern.exec(this.text);
    if (match) this.position = pattern.lastIndex;
    return match;
  }
}
