import { problem } from './project.js';
import { nearWords } from './spelling.js';
import { compareReleases, isMajor } from './versions.js';

const OPTIONS = ['-U', '--upgrade', '--upgrade-package', '--latest'];
const SIDES = { '--frontend': 'frontend', '--api': 'api' };
const KIT = 'react-flask-kit';
const COMMAND = 'npm run kit -- upgrade';

/**
 * Tell whoever wants newer packages of a command that adds some where to get them.
 *
 * @param {string[]} args of add-api or add-frontend
 * @throws {Error} that says the command, if there is an option for it
 */
export function refuseUpgrades(args) {
  const option = args.find((arg) => OPTIONS.includes(arg.split('=')[0]));
  if (option === undefined) return;
  throw problem(
    `${option}: newer packages are brought by ${COMMAND}, or of one: ${COMMAND} NAME`,
  );
}

/**
 * Read which packages shall be upgraded.
 *
 * @param {string[]} args names, and --frontend or --api
 * @param {{ frontend: string[], api: string[] }} packages the names that each side has
 * @param {(name: string) => string} normalized a name as Python's index compares it
 * @returns {{ frontend?: string[], api?: string[] }} the names for each side, none for all of
 *   them; undefined for a side that stays as it is
 * @throws {Error} for a name that neither side has, or both, or that is none
 */
export function readUpgrade(args, packages, normalized) {
  const options = args.filter((arg) => arg.startsWith('-'));
  const unknown = options.filter((arg) => !Object.hasOwn(SIDES, arg));
  if (unknown.length > 0) {
    throw problem(
      `${COMMAND}: there is no option ${unknown.join(', ')}. There are: --frontend, --api; ` +
        'for one package, its name.',
    );
  }
  const chosen = options.map((option) => SIDES[option]);
  const sides = chosen.length > 0 ? chosen : Object.values(SIDES);
  const names = args.filter((arg) => !options.includes(arg));
  if (names.length === 0) {
    return Object.fromEntries(sides.map((side) => [side, []]));
  }
  const found = {};
  for (const name of names) {
    assertIsName(name);
    const spelt = { frontend: name, api: normalized(name) };
    const owners = sides.filter((side) => packages[side].includes(spelt[side]));
    // Of the kit, both halves are of one version.
    const isOne = owners.length === 1 || (owners.length > 1 && name === KIT);
    if (!isOne) throw notOne(name, owners, sides, packages);
    for (const side of owners) {
      found[side] = [...(found[side] ?? []), spelt[side]];
    }
  }
  return found;
}

function assertIsName(text) {
  if (/^(@[\w.-]+\/)?[\w.-]+$/.test(text)) return;
  throw problem(
    `${COMMAND}: ${text} is not the name of a package. An upgrade stays within the ranges of ` +
      'package.json and pyproject.toml; for another version: npm run add-frontend NAME@VERSION ' +
      'or npm run add-api "NAME>=VERSION"',
  );
}

function notOne(name, owners, sides, packages) {
  if (name === KIT) {
    return problem(
      'kit/ is a folder: a newer one is brought by npm run kit -- update',
    );
  }
  if (owners.length > 1) {
    return problem(
      `Both sides have a package ${name}. Say which one: ${COMMAND} --frontend ${name} ` +
        `or ${COMMAND} --api ${name}`,
    );
  }
  const near = nearWords(
    name,
    sides.flatMap((side) => packages[side]),
  );
  const advice = near.length > 0 ? ` Did you mean ${near.join(' or ')}?` : '';
  return problem(
    `There is no package ${name} among those of the project.${advice}\n` +
      'To add one: npm run add-frontend NAME, or npm run add-api NAME',
  );
}

/**
 * List what differs between two states of a side's packages.
 *
 * @param {Map<string, string[]>} before the versions of each package
 * @param {Map<string, string[]>} after
 * @returns {{ name: string, from: string, to: string, note: string }[]} by name
 */
export function changesBetween(before, after) {
  return [...new Set([...before.keys(), ...after.keys()])]
    .sort()
    .map((name) => {
      const [old, recent] = [before.get(name) ?? [], after.get(name) ?? []];
      const from = old.filter((version) => !recent.includes(version));
      const to = recent.filter((version) => !old.includes(version));
      return {
        name,
        from: from.join(', '),
        to: to.join(', '),
        note: noteOn(from, to),
      };
    })
    .filter(({ from, to }) => from !== to);
}

function noteOn(from, to) {
  if (from.length === 0) return 'added';
  if (to.length === 0) return 'removed';
  // As where new releases have to wait for some days.
  if (compareReleases(to.at(-1), from.at(-1)) < 0) return 'older';
  return to.some((version) => isMajor(from.at(-1), version)) ? 'major' : '';
}

/**
 * Write a table that is readable in a terminal, and a table in Markdown.
 *
 * @param {string[]} heads
 * @param {string[][]} rows
 * @returns {string}
 */
export function table(heads, rows) {
  const widths = heads.map((head, i) =>
    Math.max(3, head.length, ...rows.map((row) => row[i].length)),
  );
  const line = (cells) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`;
  const rule = widths.map((width) => '-'.repeat(width));
  return [heads, rule, ...rows].map(line).join('\n');
}
