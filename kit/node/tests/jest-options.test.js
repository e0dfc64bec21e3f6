/** Options of Jest's command line, in Vitest's words. */
import { fromJestOptions } from '../lib/jest-options.js';

it.each([
  ['', ''],
  ['App.test.js -t name -u', 'App.test.js -t name -u'],
  ['--watchAll=false', '--no-watch'],
  ['--watchAll --no-watchAll', '--watch --no-watch'],
  ['--ci --coverage', '--update=none --coverage'],
  ['--ci=false', ''],
  ['--env=jsdom --env jest-environment-jsdom-sixteen', ''],
  ['--env node', '--environment=node'],
  ['-i --runInBand=true', '--no-file-parallelism --no-file-parallelism'],
  ['--verbose --json', '--reporter=verbose --reporter=json'],
  ['--bail --bail=2', '--bail=1 --bail=2'],
  ['--testPathPattern=src/a --testPathPattern b', 'src/a b'],
  ['--updateSnapshot', '--update'],
  ['--passWithNoTests --passWithNoTests', '--passWithNoTests'],
  ['--detectOpenHandles --forceExit --colors', ''],
  ['-o', '--changed'],
  [
    '--collectCoverageFrom=src/a.js --collectCoverageFrom !src/b.js',
    '--coverage.include=src/a.js --coverage.exclude=src/b.js',
  ],
  ['--findRelatedTests a.js b.js', 'related --run a.js b.js'],
  ['--coverage.reporter=text --retry 2', '--coverage.reporter=text --retry 2'],
])('%s', (jest, vitest) => {
  const split = (text) => text.split(' ').filter(Boolean);
  expect(fromJestOptions(split(jest))).toEqual(split(vitest));
});
