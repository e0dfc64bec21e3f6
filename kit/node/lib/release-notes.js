import fs from 'node:fs';
import path from 'node:path';
import { askGit } from './git.js';
import { ROOT, readPackage, readProjectFile } from './project.js';
import { section } from './report.js';
import { compareReleases } from './versions.js';

// Not what is the starter's alone, or the fork's alone.
const COMPARED = [
  '--',
  '.',
  ...[
    'kit',
    'api',
    'src',
    'public',
    'tests',
    'bench',
    'examples',
    '.github/workflows/starter-*',
    'README.md',
    'SECURITY.md',
    'LICENSE',
    'yarn.lock',
    '*.png',
  ].map((place) => `:(exclude)${place}`),
];

/**
 * Take from a changelog what it says of the releases after one, up to another.
 *
 * @param {string} changelog Markdown, with a heading "## 1.2.3" for each release
 * @param {string} from the older version, such as '0.2.0'
 * @param {string} to the newer one
 * @returns {string}
 */
export function changesOfReleases(changelog, from, to) {
  const sections = changelog.split(/^(?=## \d+\.\d+\.\d+\s*$)/m);
  const between = sections.filter((section) => {
    const [, version] = /^## (\d+\.\d+\.\d+)/.exec(section) ?? [];
    if (!version) return false;
    return (
      compareReleases(version, from) > 0 && compareReleases(version, to) <= 0
    );
  });
  if (between.length === 0) return '';
  return `\nWhat changed from ${from} to ${to} (kit/CHANGELOG.md):\n\n${between.join('')}`;
}

/**
 * Tell how those files of the starter changed that a fork has as its own, such as
 * deploy/Dockerfile.
 *
 * @param {{ from: string, to: string, folder: string, history?: string }} release
 * @returns {string} a patch, with the fork's name in place of the starter's; only names where
 *   the older release is not there to compare with
 */
export function changesOfOwnFiles({ from, to, folder, history }) {
  if (!history) return differences(folder, to);
  const diff = (...args) =>
    askGit(
      [
        '-c',
        'core.quotePath=false',
        '--git-dir',
        history,
        '--work-tree',
        folder,
        'diff',
        '--cached',
        '--no-ext-diff',
        '--no-renames',
        ...args,
      ],
      { cwd: folder },
    );
  const listed = diff('--name-status', '-z', `v${from}`, ...COMPARED);
  const words = listed.split('\0');
  const files = { A: [], D: [], M: [] };
  for (let i = 0; i + 1 < words.length; i += 2) {
    files[words[i]]?.push(words[i + 1]);
  }
  const own = (file) => readProjectFile(file);
  const renamed = withOwnName(folder);
  const isNews = (file) =>
    own(file) !== renamed(fs.readFileSync(path.join(folder, file), 'utf8'));
  const changed = files.M.filter(
    (file) => own(file) !== undefined && isNews(file),
  );
  const pages = changed.filter((file) => file.startsWith('docs/'));
  const others = changed.filter((file) => !pages.includes(file));
  const patch = others.length > 0 && diff(`v${from}`, '--', ...others);
  return [
    section(
      `New in the starter of ${to}, to be taken if you want it`,
      files.A.filter(isNews),
    ),
    section(
      'No longer in the starter',
      files.D.filter((file) => own(file) !== undefined),
    ),
    section('Guides that changed', pages),
    patch &&
      `\nYour own files that changed in the starter too; take over what you want:\n\n${renamed(patch)}\n`,
  ]
    .filter(Boolean)
    .join('');
}

/** Without the older release nobody can tell whose change a difference is. */
function differences(folder, to) {
  const renamed = withOwnName(folder);
  const own = askGit(['ls-files', '-z', ...COMPARED]).split('\0');
  const files = own.filter((file) => {
    const place = path.join(folder, file);
    return (
      file &&
      fs.existsSync(place) &&
      renamed(fs.readFileSync(place, 'utf8')) !== readProjectFile(file)
    );
  });
  return section(
    `Your own files that are not as in the starter of ${to}; by whose change cannot be told`,
    files,
  );
}

/** The starter's files name it; those of a fork have the fork's name in its place. */
function withOwnName(folder) {
  const [starters, own] = [folder, ROOT].map((place) =>
    String(readPackage(place).name).replace(/^@[^/]*\//, ''),
  );
  return (text) => text.replaceAll(starters, () => own);
}
