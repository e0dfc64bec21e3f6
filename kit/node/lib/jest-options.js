const none = () => [];
const as = (name) => (value) => [`--${name}=${value}`];
const flag = (name) => (value) => [
  `--${value === 'false' ? 'no-' : ''}${name}`,
];

/** Options that stand alone, or have `=true` or `=false`. */
const FLAGS = {
  watchAll: flag('watch'),
  ci: (value) => (value === 'false' ? [] : ['--update=none']),
  updateSnapshot: flag('update'),
  verbose: (value) => (value === 'false' ? [] : ['--reporter=verbose']),
  json: (value) => (value === 'false' ? [] : ['--reporter=json']),
  runInBand: () => ['--no-file-parallelism'],
  bail: (value) => [`--bail=${/^\d+$/.test(value) ? value : 1}`],
  collectCoverage: flag('coverage'),
  onlyChanged: () => ['--changed'],
  lastCommit: () => ['--changed=HEAD~1'],
  expand: flag('expandSnapshotDiff'),
  passWithNoTests: flag('passWithNoTests'),
  // What there is here without being asked for, or not at all.
  cache: none,
  color: none,
  colors: none,
  detectOpenHandles: none,
  forceExit: none,
  notify: none,
  useStderr: none,
};

/** Options with a value, behind `=` or a space. */
const VALUES = {
  env: (value) => (/jsdom/.test(value) ? [] : [`--environment=${value}`]),
  testEnvironment: (value) => VALUES.env(value),
  testPathPattern: (value) => [value],
  testPathPatterns: (value) => [value],
  changedSince: as('changed'),
  coverageDirectory: as('coverage.reportsDirectory'),
  coverageReporters: as('coverage.reporter'),
  collectCoverageFrom: (value) =>
    value.startsWith('!')
      ? [`--coverage.exclude=${value.slice(1)}`]
      : [`--coverage.include=${value}`],
  reporters: as('reporter'),
  maxWorkers: as('maxWorkers'),
  testRunner: none,
};

const SHORT = {
  '-i': '--runInBand',
  '-o': '--onlyChanged',
  '-b': '--bail',
  '-e': '--expand',
};

/**
 * Say options of Jest's command line in Vitest's words; what is no option of Jest's stays.
 *
 * @param {string[]} args
 * @returns {string[]}
 */
export function fromJestOptions(args) {
  const rest = [...args];
  const result = [];
  while (rest.length > 0) {
    const [given, ...value] = rest.shift().split('=');
    const [, not, name] = /^--(no-)?(.+)$/.exec(SHORT[given] ?? given) ?? [];
    const text = value.length > 0 ? value.join('=') : undefined;
    if (name === 'passWithNoTests' && result.includes(given)) continue;
    if (name === 'findRelatedTests') {
      // The files follow, and Vitest has a command for them.
      return ['related', '--run', ...result, ...rest];
    }
    if (Object.hasOwn(VALUES, name ?? '')) {
      result.push(...VALUES[name](text ?? rest.shift() ?? ''));
    } else if (Object.hasOwn(FLAGS, name ?? '')) {
      result.push(...FLAGS[name](not ? 'false' : text));
    } else {
      result.push([given, ...value].join('='));
    }
  }
  return result;
}
