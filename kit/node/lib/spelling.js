/**
 * Tell how many letters are to be added, removed, replaced or swapped with the next one to make
 * one word of another (the Damerau-Levenshtein distance of neighbours).
 *
 * @param {string} a
 * @param {string} b
 * @returns {number}
 */
export function distance(a, b) {
  let before = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      const isSwapped = i > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        last[j] + 1,
        row[j - 1] + 1,
        last[j - 1] + (isSame ? 0 : 1),
        isSwapped ? before[j - 2] + 1 : Number.POSITIVE_INFINITY,
      );
    }
    [before, last] = [last, row];
  }
  return last[b.length];
}

/**
 * Find the words that somebody may have meant.
 *
 * @param {string} word
 * @param {string[]} words
 * @returns {string[]} up to three, the nearest first
 */
export function nearWords(word, words) {
  const far = Math.max(1, Math.floor(word.length / 4));
  return words
    .map((other) => ({ other, far: distance(word, other) }))
    .filter((one) => one.far <= far || one.other.includes(word))
    .sort((a, b) => a.far - b.far)
    .slice(0, 3)
    .map(({ other }) => other);
}
