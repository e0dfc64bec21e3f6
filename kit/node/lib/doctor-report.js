/**
 * What a check of `doctor` has found.
 *
 * @typedef {{ level: 'ok' | 'hint' | 'problem', text: string }} Finding
 */

/** @returns {Finding} of something that is as it should be */
export function ok(text) {
  return { level: 'ok', text };
}

/** @returns {Finding} of something to know, which needs nothing to be done */
export function hint(text) {
  return { level: 'hint', text };
}

/** @returns {Finding} of something to mend; the text says how */
export function wrong(text) {
  return { level: 'problem', text };
}

/**
 * List names in a sentence.
 *
 * @param {string[]} names
 * @param {number} [most] how many at most; the others are counted
 * @returns {string}
 */
export function list(names, most = 8) {
  const more = names.length - most;
  return [...names.slice(0, most), ...(more > 0 ? [`${more} more`] : [])].join(
    ', ',
  );
}
