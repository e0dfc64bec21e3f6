import fs from 'node:fs';
import path from 'node:path';
import { localKit, sitePackages } from './api.js';
import { hint, list, ok, wrong } from './doctor-report.js';
import { askGit } from './git.js';
import { GENERATED_FILES, releasedTree } from './kit-edits.js';
import { unfinishedUpdate } from './kit-swap.js';
import { ROOT, readProjectFile } from './project.js';
import { kitVersion, readStarter } from './starter.js';

const NAME = 'react-flask-kit';
const FILES_AT_ONCE = 100;
// Older guides said to delete them.
const FOR_ITS_TESTS = /^kit\/(extensions|tests)\//;
const LINK = path.join(ROOT, 'node_modules', NAME);

/** Check that both halves of the kit are of one version, and that those are the ones in use. */
export function halves() {
  const folder = localKit();
  if (!folder) return ok(`${NAME} of kit/node is ${kitVersion()}`);
  const found = {
    'kit/node': kitVersion(),
    [folder]: /^version\s*=\s*["']([^"']+)/m.exec(
      readProjectFile(folder, 'pyproject.toml') ?? '',
    )?.[1],
  };
  const versions = Object.values(found);
  const names = Object.entries(found).map((part) => part.join(' is '));
  return [
    versions.every((version) => version === versions[0])
      ? ok(`The kit is ${versions[0]}, both halves`)
      : wrong(
          `The halves of the kit differ: ${names.join(', ')}. ` +
            'Take the whole folder kit/ of one version: npm run kit -- update',
        ),
    ...inUse(folder, found),
  ];
}

function inUse(folder, versions) {
  const findings = [];
  if (fs.existsSync(LINK)) {
    const used = fs.realpathSync(LINK);
    if (used !== fs.realpathSync(path.join(ROOT, 'kit', 'node'))) {
      findings.push(
        wrong(
          `node_modules/${NAME} is that of ${used}, and not kit/node. Delete node_modules; ` +
            'the next command makes it again.',
        ),
      );
    }
  }
  const packages = sitePackages();
  if (!packages) return findings;
  const link = path.join(packages, 'react_flask_kit.pth');
  const source = path.join(ROOT, folder, 'src');
  const cure = 'Delete api/venv; the next command makes it again.';
  if (fs.existsSync(link)) {
    const used = fs.readFileSync(link, 'utf8').trim();
    const isOurs =
      fs.existsSync(used) && fs.realpathSync(used) === fs.realpathSync(source);
    if (!isOurs) {
      findings.push(
        wrong(
          `api/venv takes react_flask_kit from ${used}, and not from ${folder}: ` +
            `was the project copied or moved? ${cure}`,
        ),
      );
    }
  }
  const installed = fs
    .readdirSync(packages)
    .map((name) => /^react_flask_kit-(.+)\.dist-info$/.exec(name)?.[1])
    .find(Boolean);
  if (installed && installed !== versions[folder]) {
    findings.push(
      wrong(
        `api/venv has ${NAME} ${installed}, and ${folder} is ${versions[folder]}. ` +
          'npm run start-api installs it; if that does not help, delete api/venv.',
      ),
    );
  }
  return findings;
}

/** Check that nobody has edited what an update replaces. */
export function kitFiles() {
  if (askGit(['rev-parse', '--git-dir']) === undefined) return [];
  const released = releasedTree();
  if (!released) {
    return hint(
      'Whether files of kit/ were edited cannot be told: the project does not have kit/ as it ' +
        `was released in ${kitVersion()}, to compare it with.`,
    );
  }
  const { edited, missing } = changedFiles(released);
  if (edited.length + missing.length === 0) {
    return ok(`No file of kit/ was edited since ${kitVersion()}`);
  }
  return [
    ...(edited.length > 0
      ? [
          wrong(
            `Files of kit/ were edited, and an update replaces them: ${list(edited)}. ` +
              'Put the change into files of your own, then take these back; or leave them, and ' +
              'npm run kit -- update saves the change as a patch.',
          ),
        ]
      : []),
    ...(missing.length > 0
      ? [
          wrong(
            `Files of kit/ are missing: ${list(missing)}. ` +
              'Take them back from git, or run: npm run kit -- update',
          ),
        ]
      : []),
  ];
}

/** As kit-edits.js finds them, but of files alone, and git stores nothing meanwhile. */
function changedFiles(released) {
  const entries = askGit(['ls-tree', '-r', '-z', '--full-tree', released]);
  const ids = new Map(
    [...entries.matchAll(/100\d+ blob (\w+)\t([^\0]+)\0/g)].map(
      ([, id, name]) => [`kit/${name}`, id],
    ),
  );
  const listed = askGit([
    'ls-files',
    '-z',
    '--cached',
    '--others',
    '--exclude-standard',
    '--',
    'kit',
  ]).split('\0');
  const names = [...new Set(listed)]
    .filter((name) => name && isFile(name) && !GENERATED_FILES.includes(name))
    .sort();
  const edited = [];
  // No command line may be too long for Windows.
  for (let i = 0; i < names.length; i += FILES_AT_ONCE) {
    const some = names.slice(i, i + FILES_AT_ONCE);
    const now = askGit(['hash-object', '--', ...some]).split('\n');
    edited.push(...some.filter((name, j) => ids.get(name) !== now[j]));
  }
  const missing = [...ids.keys()].filter(
    (name) => !FOR_ITS_TESTS.test(name) && !isFile(name),
  );
  return { edited, missing };
}

/** Neither a link, nor another repository. */
function isFile(name) {
  const place = path.join(ROOT, name);
  return fs.lstatSync(place, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** Check that no update was interrupted. */
export function update() {
  const unfinished = unfinishedUpdate();
  return unfinished
    ? wrong(
        `An update to ${unfinished.to} was interrupted. Run npm run kit -- update, which ` +
          'first restores the state before.',
      )
    : [];
}

/** Check whether the project knows where it comes from. */
export function starter() {
  const { version, repository } = readStarter();
  if (!version) {
    return hint(
      'package.json does not say from which version of the starter the project was made; ' +
        'npm run kit -- make-it-yours writes it, and so does npm run kit -- update.',
    );
  }
  if (version !== kitVersion()) {
    return hint(
      `package.json says that kit/ is of version ${version}, and it is of ${kitVersion()}: was it ` +
        'replaced by hand? npm run kit -- update brings one and writes which.',
    );
  }
  return ok(
    `The project has the starter's version ${version}` +
      (repository ? ', and package.json says where newer ones come from' : ''),
  );
}
