import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/**
 * Make a folder of these files.
 *
 * @param {Record<string, string | object>} [files] texts by path; an object is written as JSON
 * @returns {string} its path, without symbolic links
 */
export function makeFolder(files = {}) {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), 'react-flask-kit-'));
  const folder = fs.realpathSync(made);
  write(folder, files);
  return folder;
}

/**
 * Make a project, which is the working folder of what a test imports from now on.
 *
 * @param {Record<string, string | object>} [files]
 * @returns {string} its folder, removed when the test ends
 */
export function project(files) {
  const folder = makeFolder(files);
  onTestFinished(() => remove(folder));
  vi.spyOn(process, 'cwd').mockReturnValue(folder);
  vi.resetModules();
  return folder;
}

export function write(folder, files) {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    const isText = typeof content === 'string';
    fs.writeFileSync(file, isText ? content : JSON.stringify(content));
  }
}

export function remove(folder) {
  // On Windows a program that ended may hold its files for a moment longer.
  fs.rmSync(folder, { recursive: true, force: true, maxRetries: 20 });
}
