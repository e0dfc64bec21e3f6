import fs from 'node:fs';
import path from 'node:path';
import { expect, Snapshots, TestRunner } from 'vitest';
import snapshots, { isOfJest } from './jest-snapshots.js';

const FORMAT = { printBasicPrototype: true, escapeString: true };
const INLINE = /MatchingInlineSnapshot|toMatchInlineSnapshot/;

/** Let each file's snapshots be in the form of whoever wrote them: Jest, or Vitest. */
export default class JestRunner extends TestRunner {
  #format;
  #isJest = false;

  constructor(config) {
    super(config);
    this.#format = config.snapshotOptions.snapshotFormat;
    const isJest = () => this.#isJest;
    expect.extend({
      toThrowErrorMatchingSnapshot(received, hint) {
        const error = thrown(this, received, isJest());
        return Snapshots.toMatchSnapshot.call(this, error, hint);
      },
      toThrowErrorMatchingInlineSnapshot(received, inline, hint) {
        const error = thrown(this, received, isJest());
        return Snapshots.toMatchInlineSnapshot.call(this, error, inline, hint);
      },
    });
  }

  async onBeforeRunSuite(suite) {
    if ('filepath' in suite) {
      this.#isJest = isWrittenByJest(suite.filepath);
      this.config.snapshotOptions.snapshotFormat = this.#isJest
        ? { ...FORMAT, ...this.#format }
        : this.#format;
      snapshots.expect(namesOf(suite), this.#isJest);
    }
    await super.onBeforeRunSuite(suite);
  }

  /** In CI Jest tells of obsolete snapshots, and does not fail for them. */
  async onAfterRunSuite(suite) {
    if ('filepath' in suite && this.#isJest) {
      const { snapshotState } = expect.getState();
      const { updateSnapshot } = this.config.snapshotOptions;
      const isOwn = snapshotState?.testFilePath === suite.filepath;
      if (isOwn && updateSnapshot === 'none')
        tellObsolete(snapshotState, suite);
    }
    await super.onAfterRunSuite(suite);
  }
}

/** Jest keeps the message of an error, Vitest the error. */
function thrown(matcher, received, isJest) {
  const error = matcher.promise ? received : errorOf(received);
  return isJest ? error.message : error;
}

function errorOf(run) {
  if (typeof run !== 'function')
    throw new Error(`expected must be a function, received ${typeof run}`);
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error("snapshot function didn't throw");
}

/** A file of Jest's says so; where there is none, what is in the tests does. */
function isWrittenByJest(file) {
  const { dir, base } = path.parse(file);
  const stored = readText(path.join(dir, '__snapshots__', `${base}.snap`));
  if (stored !== undefined) return isOfJest(stored);
  const code = readText(file) ?? '';
  return !INLINE.test(code) || !/`\s*[[{]\s*\n/.test(code);
}

function readText(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function namesOf(task, parents = []) {
  return (task.tasks ?? []).flatMap((child) => {
    const names = [...parents, child.name];
    return child.type === 'suite' ? namesOf(child, names) : [names];
  });
}

function tellObsolete(state, suite) {
  const obsolete = state.getUncheckedKeys();
  if (obsolete.length === 0) return;
  // Vitest has no other word for it: all that begin so, and all do.
  state.markSnapshotsAsCheckedForTest('');
  if (hasSkipped(suite)) return;
  console.log(
    `${obsolete.length} obsolete in ${path.basename(suite.filepath)}.snap, which ` +
      `"npm run test-frontend -- -u" removes: ${obsolete.join(', ')}`,
  );
}

function hasSkipped(task) {
  return task.mode === 'skip' || (task.tasks ?? []).some(hasSkipped);
}
