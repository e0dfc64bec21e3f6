import fs from 'node:fs';
import path from 'node:path';
import {
  isApiInstalled,
  isNewEnough,
  oldestPython,
  probe,
  REQUIREMENTS,
  sitePackages,
  VENV,
  venvPython,
} from './api.js';
import { hint, list, ok, wrong } from './doctor-report.js';
import {
  assertLockfileIsWhole,
  installedPackages,
  isFrontendInstalled,
} from './frontend.js';
import { ROOT, readPackage, readProjectFile } from './project.js';
import { normalized, pinsIn, rangesOfApi } from './python-packages.js';
import { isInPythonRange } from './versions.js';
import { lockedVersions, readLockfile } from './yarn-lock.js';

const NODE_MODULES = path.join(ROOT, 'node_modules');
const OTHER_LOCKFILES = [
  'npm-shrinkwrap.json',
  'pnpm-lock.yaml',
  'bun.lock',
  'bun.lockb',
];
// What an installer leaves in node_modules or beside it, and none but it.
const MARKS = {
  npm: 'node_modules/.package-lock.json',
  pnpm: 'node_modules/.modules.yaml',
  'Yarn 1': 'node_modules/.yarn-integrity',
  "Yarn's Plug'n'Play": '.pnp.cjs',
};
// Two of one of these in a page, or in its tools, do not know of each other.
const ONCE = ['react', 'react-dom', 'vite'];
const CONFLICT = /^(<<<<<<<|>>>>>>>) /m;
const PIN = 'Run: npm run add-api';
const LOCK = 'Run: npm run add-frontend';
const ANEW = 'Delete api/venv; the next command makes it again.';
// They come with the virtual environment.
const OF_THE_VENV = ['pip', 'setuptools', 'wheel', 'distribute'];

/** Check package.json. */
export function manifest() {
  const { name, version, dependencies, devDependencies } = readPackage();
  const isList = (value) =>
    value === undefined ||
    Object.prototype.toString.call(value) === '[object Object]';
  return isList(dependencies) && isList(devDependencies)
    ? ok(`package.json of ${[name ?? 'a project', version].join(' ').trim()}`)
    : wrong('package.json: dependencies are {"name": "version"}. Mend them.');
}

/** Check that yarn.lock is the one lockfile, and what package.json wants. */
export function lockfiles() {
  const others = OTHER_LOCKFILES.filter(
    (name) => readProjectFile(name) !== undefined,
  ).map((name) =>
    wrong(`${name} is a second lockfile, of another installer. Delete it.`),
  );
  const text = readProjectFile('yarn.lock');
  if (text === undefined) {
    return [...others, wrong(`yarn.lock is missing. ${LOCK}`)];
  }
  if (CONFLICT.test(text)) {
    const cure =
      'Take one side of it (git checkout --ours yarn.lock), then run';
    return [
      ...others,
      wrong(
        `yarn.lock has a conflict of git in it. ${cure}: npm run add-frontend`,
      ),
    ];
  }
  assertLockfileIsWhole();
  const entries = readLockfile(text);
  const differences = entries.flatMap(differencesOf);
  return [
    ...others,
    ...(differences.length > 0
      ? [
          wrong(
            `yarn.lock is not what package.json wants: ${list(differences)}. ${LOCK}`,
          ),
        ]
      : [
          ok(
            `yarn.lock is what package.json wants (${entries.length} packages)`,
          ),
        ]),
    ...twice(text, entries),
  ];
}

/** What a package.json of the project asks for, and what the lockfile took it to ask for. */
function differencesOf({ workspace, dependencies: locked }) {
  if (workspace === undefined) return [];
  const folder = path.join(ROOT, workspace);
  const {
    dependencies,
    devDependencies,
    optionalDependencies,
    resolutions = {},
  } = readPackage(folder);
  const asked = {
    ...devDependencies,
    ...optionalDependencies,
    ...dependencies,
  };
  const isResolved = (name) =>
    Object.keys(resolutions).some((key) => key.includes(name));
  const differ = ([name, range]) =>
    locked[name] === undefined ||
    (!isResolved(name) && ![range, `npm:${range}`].includes(locked[name]));
  const added = Object.entries(asked)
    .filter(differ)
    .map(([name, range]) => `${name} ${range}`);
  const gone = Object.keys(locked)
    .filter((name) => asked[name] === undefined)
    .map((name) => `no more ${name}`);
  return [...added, ...gone];
}

function twice(text, entries) {
  const versions = lockedVersions(text);
  const several = ONCE.filter((name) => versions.get(name)?.length > 1);
  const findings = several.map((name) => {
    const ranges = entries
      .filter((entry) => entry.name === name)
      .map(({ version, asked }) => `${version} for ${asked.join(', ')}`);
    return wrong(
      `There is more than one ${name}: ${ranges.join('; ')}. Bring the ranges together, ` +
        `then run: npm run add-frontend`,
    );
  });
  const [react, dom] = ['react', 'react-dom'].map((name) => versions.get(name));
  if (react?.length === 1 && dom?.length === 1 && react[0] !== dom[0]) {
    findings.push(
      wrong(
        `react is ${react[0]} and react-dom ${dom[0]}, which do not work together. ` +
          'Run: npm run add-frontend react@latest react-dom@latest',
      ),
    );
  }
  return findings;
}

/** Check that node_modules is what yarn.lock says. */
export function frontendPackages() {
  // What the next command installs anew needs no hand.
  const found = installedPackages() === undefined ? hint : wrong;
  const others = Object.entries(MARKS)
    .filter(([, file]) => fs.existsSync(path.join(ROOT, file)))
    .map(([installer, file]) =>
      found(
        `${installer} has installed here (${file}). Delete ${path.dirname(file) === '.' ? file : 'node_modules'}; ` +
          'the next command installs what yarn.lock says.',
      ),
    );
  if (others.length > 0) return others;
  if (installedPackages() === undefined) {
    return hint(
      'node_modules is not there yet, or not whole: the next command installs it.',
    );
  }
  if (!isFrontendInstalled()) {
    return hint(
      'node_modules is not what yarn.lock says: the next command installs it.',
    );
  }
  const text = readProjectFile('yarn.lock') ?? '';
  const wanted = lockedVersions(text);
  const isOther = ([name, versions]) => {
    const file = path.join(NODE_MODULES, name, 'package.json');
    const found =
      fs.existsSync(file) && JSON.parse(fs.readFileSync(file, 'utf8'));
    return found && !versions.includes(found.version);
  };
  const asked = readPackage();
  const direct = Object.keys({
    ...asked.dependencies,
    ...asked.devDependencies,
  });
  const gone = direct.filter(
    (name) => !fs.existsSync(path.join(NODE_MODULES, name, 'package.json')),
  );
  const changed = [...wanted].filter(isOther).map(([name]) => name);
  const wrongOnes = [...gone, ...changed];
  return wrongOnes.length > 0
    ? wrong(
        `node_modules was changed by hand: ${list(wrongOnes)}. Delete node_modules; ` +
          'the next command installs what yarn.lock says.',
      )
    : ok('node_modules is what yarn.lock says');
}

/** Check the virtual environment itself. */
export function venv() {
  if (!fs.existsSync(VENV)) {
    return hint('api/venv is not there yet: the next command makes it.');
  }
  const again = 'the next command that needs it makes it again';
  const config = path.join(VENV, 'pyvenv.cfg');
  const said = fs.existsSync(config) ? fs.readFileSync(config, 'utf8') : '';
  const home = /^home\s*=\s*(.+?)\s*$/m.exec(said)?.[1];
  const version = probe([venvPython()]);
  if (version === undefined) {
    const reason =
      home && !fs.existsSync(home)
        ? `the Python that it was made with (${home}) is gone`
        : 'its Python does not start';
    return hint(`api/venv cannot be used, as ${reason}: ${again}.`);
  }
  if (installedRecord() === undefined) {
    return hint(`api/venv is half made: ${again}.`);
  }
  if (!isNewEnough(version)) {
    return wrong(
      `api/venv has ${version}, but pyproject.toml wants ${oldestPython()} or newer. ${ANEW}`,
    );
  }
  // Python 3.10 does not write where it was made.
  const made = /^command\s*=.* -m venv (?:--\S+ )*(.+?)\s*$/m.exec(said)?.[1];
  const moved = made && !isHere(made);
  return moved
    ? hint(
        `api/venv has ${version}, but was made in another folder (${made}): its "activate" leads there. ${ANEW}`,
      )
    : ok(`api/venv has ${version}`);
}

function isHere(folder) {
  return (
    fs.existsSync(folder) && fs.realpathSync(folder) === fs.realpathSync(VENV)
  );
}

function installedRecord() {
  try {
    const text = fs.readFileSync(path.join(VENV, 'installed.json'), 'utf8');
    return JSON.parse(text).requirements;
  } catch {
    return undefined;
  }
}

/** Check that api/venv has what the requirements say, and nothing else. */
export function apiPackages() {
  const packages = sitePackages();
  const lists = installedRecord();
  if (!packages || !lists) return [];
  if (!isApiInstalled()) {
    return hint(
      'api/venv is not what api/requirements*.txt say: the next command installs it.',
    );
  }
  const installed = new Map(
    fs
      .readdirSync(packages)
      .map((entry) => /^(.+?)-([^-]+)\.dist-info$/.exec(entry))
      .filter(Boolean)
      .map(([, name, version]) => [normalized(name), version]),
  );
  const versions = byName(Object.values(lists).flatMap(pinsIn));
  const changed = [...versions]
    .filter(([name, pins]) => {
      const version = installed.get(name);
      return version
        ? pins.every((pin) => pin.version !== version)
        : pins.some(({ isForAll }) => isForAll);
    })
    .map(
      ([name, pins]) =>
        `${name} (${installed.get(name) ?? 'missing'}, not ${pins[0].version})`,
    );
  const known = [...OF_THE_VENV, 'react-flask-kit', ...versions.keys()];
  const more = [...installed.keys()].filter((name) => !known.includes(name));
  return [
    changed.length > 0
      ? wrong(`api/venv was changed by hand: ${list(changed)}. ${ANEW}`)
      : ok('api/venv has what api/requirements*.txt say'),
    ...(more.length > 0
      ? [
          hint(
            `api/venv has packages that no list has, so production lacks them: ${list(more)}. ` +
              'To add them: npm run add-api NAME; otherwise leave them.',
          ),
        ]
      : []),
  ];
}

function byName(pins) {
  const groups = new Map();
  for (const pin of pins) {
    groups.set(pin.name, [...(groups.get(pin.name) ?? []), pin]);
  }
  return groups;
}

/** Check that the requirements pin what pyproject.toml and the kit ask for. */
export function pins() {
  const ranges = rangesOfApi();
  if (!ranges) {
    return wrong(
      'pyproject.toml has no list "dependencies" that can be read. Mend it, or take it back from git.',
    );
  }
  const texts = new Map(
    [REQUIREMENTS.app, REQUIREMENTS.dev].map((file) => [
      file,
      readProjectFile(file),
    ]),
  );
  const findings = [...texts].flatMap(([file, text]) => {
    if (text === undefined) return [wrong(`${file} is missing. ${PIN}`)];
    return CONFLICT.test(text)
      ? [
          wrong(
            `${file} has a conflict of git in it. Take one side, then run: npm run add-api`,
          ),
        ]
      : [];
  });
  if (findings.length > 0) return findings;
  const differences = ranges.flatMap(
    ({ name, range, file, list: pinnedIn }) => {
      const pinned = pinsIn(texts.get(pinnedIn)).filter(
        (pin) => pin.name === name,
      );
      if (pinned.length === 0) {
        return [`${file} asks for ${name}, which ${pinnedIn} does not pin`];
      }
      return pinned
        .filter((pin) => isInPythonRange(range, pin.version) === false)
        .map(
          ({ version }) =>
            `${file} asks for ${name}${range}, but ${pinnedIn} pins ${version}`,
        );
    },
  );
  return differences.length > 0
    ? differences.map((text) => wrong(`${text}. ${PIN}`))
    : ok('api/requirements*.txt pin what pyproject.toml asks for');
}
