import { VitestSnapshotEnvironment } from 'vitest/runtime';

export const JEST_HEADER = '// Jest Snapshot v1, https://goo.gl/fbAQLP';

/**
 * Reads and writes Jest's snapshot files for Vitest, which names what is in them otherwise.
 *
 * `describe test: hint 1` there is `describe > test > hint 1` here. Only the names of the tests
 * say where one ends, so the runner gives them before the file is read.
 */
class JestSnapshots extends VitestSnapshotEnvironment {
  #header = JEST_HEADER;
  #names = [];

  /**
   * @param {string[][]} names of the file's tests: of its suites, then its own
   * @param {boolean} isJest whether its snapshots are Jest's
   */
  expect(names, isJest) {
    this.#header = isJest ? JEST_HEADER : super.getHeader();
    this.#names = names.map((parts) => ({
      jest: parts.join(' '),
      vitest: parts.join(' > '),
    }));
  }

  getHeader() {
    return this.#header;
  }

  async readSnapshotFile(file) {
    const text = await super.readSnapshotFile(file);
    if (!isOfJest(text)) return text;
    return write(read(text).map(([key, it]) => [this.#toVitest(key), it]));
  }

  async saveSnapshotFile(file, text) {
    if (!isOfJest(text)) return super.saveSnapshotFile(file, text);
    const wanted = read(text).map(([key, it]) => [this.#toJest(key), it]);
    const before = read((await super.readSnapshotFile(file)) ?? '');
    const order = new Map(before.map(([key], place) => [key, place]));
    // What is new comes behind what Vitest puts it behind; the rest stays where it is.
    let place = -1;
    const placed = wanted.map(([key, it], i) => {
      place = order.get(key) ?? place;
      return { place, i: order.has(key) ? -1 : i, entry: [key, it] };
    });
    placed.sort((a, b) => a.place - b.place || a.i - b.i);
    const sorted = placed.map(({ entry }) => entry);
    if (write(sorted) !== write(before))
      await super.saveSnapshotFile(file, write(sorted));
  }

  #toVitest(key) {
    const [, name, count] = /^(.*) (\d+)$/s.exec(key) ?? [];
    const test = longest(this.#names, name, 'jest', ': ');
    if (!test) return key;
    const hint = name.slice(test.jest.length + 2);
    return `${test.vitest}${hint && ` > ${hint}`} ${count}`;
  }

  #toJest(key) {
    const [, name, count] = /^(.*) (\d+)$/s.exec(key) ?? [];
    const test = longest(this.#names, name, 'vitest', ' > ');
    if (!test) return key;
    const hint = name.slice(test.vitest.length + 3);
    return `${test.jest}${hint && `: ${hint}`} ${count}`;
  }
}

function longest(names, name, side, separator) {
  return names
    .filter(
      ({ [side]: start }) =>
        name === start || name?.startsWith(start + separator),
    )
    .sort((a, b) => b[side].length - a[side].length)[0];
}

/**
 * Tell whether Jest wrote a snapshot file.
 *
 * @param {string | null} text
 * @returns {boolean}
 */
export function isOfJest(text) {
  return Boolean(text?.startsWith('// Jest Snapshot'));
}

/** Read a snapshot file, which is JavaScript. */
function read(text) {
  const snapshots = Object.create(null);
  new Function('exports', text)(snapshots);
  return Object.entries(snapshots);
}

function write(snapshots) {
  const quote = (text) => `\`${text.replace(/`|\\|\$\{/g, '\\$&')}\``;
  const lines = snapshots.map(
    ([key, value]) => `exports[${quote(key)}] = ${quote(value)};`,
  );
  return `${JEST_HEADER}\n\n${lines.join('\n\n')}\n`;
}

export default new JestSnapshots();
