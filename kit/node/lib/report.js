/**
 * Write a part of what a command reports: a title, and lines below it.
 *
 * @param {string} title
 * @param {string[]} lines
 * @returns {string} nothing where there are no lines
 */
export function section(title, lines) {
  return lines.length > 0
    ? `\n${title}:\n${lines.map((line) => `  ${line}\n`).join('')}`
    : '';
}
