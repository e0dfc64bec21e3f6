const RELEASE = /^v?\d+(?:\.\d+)*$/;
const CLAUSE = /^(~=|===?|!=|<=?|>=?)\s*(.+)$/;

/**
 * Compare two versions that are numbers and dots alone.
 *
 * @param {string} a such as '3.1.3'
 * @param {string} b
 * @returns {number} negative where a is the older one; NaN where one of them says more, such as
 *   '4.0rc1'
 */
export function compareReleases(a, b) {
  if (!RELEASE.test(a) || !RELEASE.test(b)) return Number.NaN;
  const [left, right] = [numbers(a), numbers(b)];
  const places = Math.max(left.length, right.length);
  for (let i = 0; i < places; i++) {
    const order = (left[i] ?? 0) - (right[i] ?? 0);
    if (order !== 0) return order;
  }
  return 0;
}

/**
 * Tell whether a version is in a range as Python writes it (PEP 440).
 *
 * @param {string} range such as '>=3.1,<4'
 * @param {string} version
 * @returns {boolean | undefined} undefined where that cannot be told by numbers alone
 */
export function isInPythonRange(range, version) {
  const clauses = range.split(',').map((clause) => clause.trim());
  return all(
    clauses.filter(Boolean).map((clause) => {
      const [, operator, bound] = CLAUSE.exec(clause) ?? [];
      const [, prefix] = /^([\d.]+)\.\*$/.exec(bound ?? '') ?? [];
      if (prefix && /^(==|!=)$/.test(operator)) {
        const isSame = hasPrefix(version, prefix);
        return isSame === undefined ? isSame : isSame === (operator === '==');
      }
      const order = compareReleases(version, bound ?? '');
      if (Number.isNaN(order)) return undefined;
      if (operator === '~=') {
        const series = bound.split('.').slice(0, -1).join('.');
        return order >= 0 && hasPrefix(version, series);
      }
      return matches(operator, order);
    }),
  );
}

/**
 * Tell whether a version is in a range as npm writes it.
 *
 * @param {string} range such as '^19.3.1'
 * @param {string} version
 * @returns {boolean | undefined} undefined where that cannot be told, as for 'latest' and
 *   'workspace:*'
 */
export function isInNpmRange(range, version) {
  if (range === '*') return true;
  const [, operator, bound] = /^(\^|~|>=|)\s*([\d.]+)$/.exec(range) ?? [];
  const order = compareReleases(version, bound ?? '');
  if (Number.isNaN(order)) return undefined;
  const places = bound.split('.').length;
  if (operator === '>=') return order >= 0;
  if (operator === '' && places === 3) return order === 0;
  const [major, minor] = numbers(bound);
  // A caret lets everything change but the first number that is not zero.
  const fixed = operator === '^' ? (major > 0 ? 1 : minor > 0 ? 2 : 3) : 2;
  const kept = operator === '' ? places : Math.min(fixed, places);
  const prefix = bound.split('.').slice(0, kept).join('.');
  return order >= 0 && hasPrefix(version, prefix);
}

/**
 * Tell whether a change of version is one that may break what uses the package.
 *
 * @param {string} from
 * @param {string} to
 * @returns {boolean} whether the first number that is not zero has grown
 */
export function isMajor(from, to) {
  const [left, right] = [from, to].map((version) =>
    version.split(/[^\d]+/).map(Number),
  );
  const place = left.findIndex((number) => number > 0);
  return left
    .slice(0, (place === -1 ? 0 : place) + 1)
    .some((number, i) => number !== (right[i] ?? 0));
}

function matches(operator, order) {
  if (/^={2,3}$/.test(operator)) return order === 0;
  if (operator === '!=') return order !== 0;
  if (operator === '<=') return order <= 0;
  if (operator === '<') return order < 0;
  return operator === '>=' ? order >= 0 : order > 0;
}

function hasPrefix(version, prefix) {
  if (!RELEASE.test(version)) return undefined;
  const own = numbers(version);
  return numbers(prefix).every((number, i) => number === (own[i] ?? 0));
}

function all(answers) {
  if (answers.includes(false)) return false;
  return answers.includes(undefined) ? undefined : true;
}

function numbers(version) {
  return version.replace(/^v/, '').split('.').map(Number);
}
