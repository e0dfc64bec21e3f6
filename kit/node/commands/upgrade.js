import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { apiCommand, localKit, prepareApi } from '../lib/api.js';
import { assertNpmKeptNo } from '../lib/arguments.js';
import {
  askYarn,
  assertLockfileIsWhole,
  installFrontend,
} from '../lib/frontend.js';
import { alone } from '../lib/lock.js';
import {
  allOrNothing,
  ownRequirements,
  pinRequirements,
} from '../lib/pinning.js';
import { problem, ROOT, readPackage, readProjectFile } from '../lib/project.js';
import { normalized, pinsIn, rangesOfApi } from '../lib/python-packages.js';
import { changesBetween, readUpgrade, table } from '../lib/upgrades.js';
import { isInNpmRange, isInPythonRange } from '../lib/versions.js';
import { lockedVersions } from '../lib/yarn-lock.js';

// A registry does not have the package, or not for this user (Yarn's error codes).
const REFUSED = ['YN0033', 'YN0035', 'YN0041'];
const SIDES = {
  frontend: {
    title: 'Frontend',
    files: 'yarn.lock is',
    packages: frontendPackages,
    upgrade: upgradeFrontend,
    newest: newestOfFrontend,
    ranges: rangesOfFrontend,
    isInRange: isInNpmRange,
    cure: (name, range) =>
      `npm run add-frontend ${/^\d/.test(range) ? `-- --exact ${name}` : name}`,
  },
  api: {
    title: 'API',
    files: 'api/requirements*.txt are',
    packages: apiPackages,
    upgrade: upgradeApi,
    newest: newestOfApi,
    ranges: rangesOfApi,
    isInRange: isInPythonRange,
    cure: () => 'another range, then npm run add-api',
  },
};

/**
 * Bring packages to their newest versions within the ranges of package.json and pyproject.toml.
 *
 * Each side is upgraded as a whole or not at all; one that fails does not take the other back.
 *
 * @param {...string} args names of packages, `--frontend`, `--api`
 * @returns {Promise<number>} 1 where a side has failed
 */
export async function upgrade(...args) {
  assertNpmKeptNo('upgrade', Object.keys(SIDES), args);
  const before = {
    frontend: frontendPackages(),
    api: apiPackages(),
  };
  const wanted = readUpgrade(
    args,
    {
      frontend: [...before.frontend.keys()],
      api: [...before.api.keys()],
    },
    normalized,
  );
  const reports = [];
  let code = 0;
  for (const [name, side] of Object.entries(SIDES)) {
    const names = wanted[name];
    if (!names) continue;
    const { title, files, packages } = side;
    try {
      await side.upgrade(names);
      const changes = changesBetween(before[name], packages());
      const held = await heldBack(side, names);
      reports.push(report(title, changes, held));
    } catch (error) {
      console.error(`\n${error.stack}\n`);
      reports.push(`## ${title}\n\nIt failed: ${files} as before.`);
      code = 1;
    }
  }
  // Last, so that whoever wants the tables alone finds them from the first heading on.
  console.log(
    `\n${reports.join('\n\n')}\n\nTo see whether all still works: npm test`,
  );
  return code;
}

function frontendPackages() {
  return lockedVersions(readProjectFile('yarn.lock') ?? '');
}

function apiPackages() {
  const versions = new Map();
  for (const file of Object.values(ownRequirements())) {
    for (const { name, version } of pinsIn(readProjectFile(file) ?? '')) {
      const known = versions.get(name) ?? [];
      if (!known.includes(version)) versions.set(name, [...known, version]);
    }
  }
  return versions;
}

async function upgradeFrontend(names) {
  assertLockfileIsWhole();
  console.log("Upgrading the frontend's packages (yarn.lock) …");
  const patterns = names.length > 0 ? names : ['**'];
  await allOrNothing(['package.json', 'yarn.lock'], async () => {
    const code = await installFrontend(['up', '--recursive', ...patterns]);
    if (code !== 0) {
      throw problem(
        "The frontend's packages could not be upgraded; the reason is above. yarn.lock is as before.",
      );
    }
  });
}

function upgradeApi(names) {
  const options =
    names.length > 0
      ? names.map((name) => `--upgrade-package=${name}`)
      : ['--upgrade'];
  return alone('add-api', async () => {
    await prepareApi({ dev: true });
    await allOrNothing(Object.values(ownRequirements()), async () => {
      await pinRequirements(options);
      await prepareApi({ dev: true });
    });
  });
}

/** What is not the newest version because a range of the project, or of the kit, excludes it. */
async function heldBack({ newest, ranges, isInRange, cure }, names) {
  const asked = (ranges() ?? []).filter(
    ({ name }) => names.length === 0 || names.includes(name),
  );
  if (asked.length === 0) return [];
  let versions;
  try {
    versions = await newest([...new Set(asked.map(({ name }) => name))]);
  } catch {
    console.error('Which versions the ranges exclude could not be asked.');
    return [];
  }
  return asked
    .filter(
      ({ name, range }) => isInRange(range, versions[name] ?? '') === false,
    )
    .map(({ name, range, file }) => [
      name,
      versions[name],
      `${range} in ${file}`,
      file.startsWith('kit/') ? 'a newer kit' : cure(name, range),
    ]);
}

/** Without what no registry has: workspaces, folders, addresses. */
function rangesOfFrontend() {
  const locked = frontendPackages();
  const folders = ['.', ...(localKit() ? ['kit/node'] : [])];
  return folders.flatMap((folder) => {
    const { dependencies, devDependencies } = readPackage(`${ROOT}/${folder}`);
    const file = folder === '.' ? 'package.json' : `${folder}/package.json`;
    return Object.entries({ ...dependencies, ...devDependencies })
      .filter(
        ([name, range]) =>
          locked.has(name) && isInNpmRange(range, '0') !== undefined,
      )
      .map(([name, range]) => ({ name, range, file }));
  });
}

/** Yarn asks for one after the other, and ends at the first one that it does not get. */
async function newestOfFrontend(names) {
  const command = ['npm', 'info', ...names, '--fields=version', '--json'];
  const answers = await askYarn(command).catch(({ stdout }) => stdout ?? '');
  const lines = answers
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  const found = Object.fromEntries(
    lines
      .filter(({ version }) => version)
      .map(({ name, version }) => [name, version]),
  );
  const others = names.filter((name) => !Object.hasOwn(found, name));
  const isOneRefused = lines.some(({ displayName }) =>
    REFUSED.includes(displayName),
  );
  const failed = isOneRefused ? others.slice(0, 1) : others;
  if (failed.length > 0) {
    console.error(
      `Which version is the newest could not be asked: ${failed.join(', ')}`,
    );
  }
  const waiting = others.slice(failed.length);
  return waiting.length > 0
    ? { ...found, ...(await newestOfFrontend(waiting)) }
    : found;
}

async function newestOfApi() {
  const [program, ...args] = apiCommand([
    'uv',
    'pip',
    'list',
    '--outdated',
    '--format=json',
    '--quiet',
  ]);
  const { stdout } = await promisify(execFile)(
    program,
    [...args, `--python=${program}`],
    { cwd: ROOT, windowsHide: true },
  );
  return Object.fromEntries(
    JSON.parse(stdout).map((one) => [normalized(one.name), one.latest_version]),
  );
}

function report(title, changes, held) {
  const changed =
    changes.length > 0
      ? table(
          ['Package', 'From', 'To', ''],
          changes.map(({ name, from, to, note }) => [name, from, to, note]),
        )
      : 'Nothing is newer within the ranges.';
  const isHeld =
    held.length > 0 &&
    `Held back by a range:\n\n${table(['Package', 'Newest', 'Range', 'To have it'], held)}`;
  return [`## ${title}`, changed, isHeld].filter(Boolean).join('\n\n');
}
