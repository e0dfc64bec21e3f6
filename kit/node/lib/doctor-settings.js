import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { sitePackages, venvPython } from './api.js';
import { hint, list, ok, wrong } from './doctor-report.js';
import { parseEnvFile } from './env-file.js';
import { askGit } from './git.js';
import {
  envFileSettings,
  ROOT,
  readEnvFile,
  readProjectFile,
} from './project.js';
import { distance } from './spelling.js';

const execute = promisify(execFile);
// The last one in tests, by pytest's plugin.
const READ_BY_FLASK = ['.env', '.flaskenv', '.env.test'];
const MODES = ['development', 'production', 'test'];
const FILES = [
  '.env',
  '.flaskenv',
  '.env.local',
  ...MODES.flatMap((mode) => [`.env.${mode}`, `.env.${mode}.local`]),
];
const LONGEST_CHECK = 10_000;
const SECRET = /(KEY|PASSWORD|SECRET|TOKEN)$/;
// Where the Python half is a package of the index, its page is not there.
const READMES = ['../README.md', '../../python/README.md'].map((page) =>
  fileURLToPath(new URL(page, import.meta.url)),
);
// The rows of the READMEs' tables of settings.
const ROW = /^\| ((?:`[A-Z][A-Z_]+`(?:, )?)+) \|/gm;
const FOR_THE_CODE = /^react[_-]?app[_-]?/i;
// A shorter name is too easily close to another one.
const SHORTEST = 8;
const LONG = 16;
const VALUES = {
  HTTPS: [/^(true|false)$/, 'true or false'],
  GENERATE_SOURCEMAP: [/^(true|false)$/, 'true or false'],
  IMAGE_INLINE_SIZE_LIMIT: [/^\d+$/, 'a number of bytes'],
};

/** Check that the files of settings can be read, line by line. */
export function envFiles() {
  const found = FILES.filter((name) => fs.existsSync(path.join(ROOT, name)));
  const findings = found.flatMap((name) => {
    try {
      return wrongLines(name);
    } catch (error) {
      return [wrong(error.message)];
    }
  });
  if (findings.length > 0) return findings;
  return found.length > 0 ? ok(`${list(found)} can be read`) : [];
}

/** A line may have a secret in it, so that only its number and its name are shown. */
function wrongLines(name) {
  const findings = [];
  parseEnvFile(readEnvFile(name), (line, text) => {
    const [, variable, quote] =
      /^(?:export\s+)?(\w+)\s*=\s*(["'])?/.exec(text) ?? [];
    const what = quote
      ? `the quote of ${variable} is not closed, or something follows it`
      : 'this is not NAME=VALUE';
    findings.push(wrong(`${name}, line ${line}: ${what}. Mend the line.`));
  });
  return findings;
}

/** Check the names and values of settings, wherever they are set. */
export async function settings() {
  const all = { ...readable(), ...process.env };
  const api = await askTheApi(all);
  const known = [...documentedSettings(), ...(api?.known ?? [])];
  const remarks = whereSet().flatMap((setting) => {
    const { name, place } = setting;
    const { level, text } = remarkOn(setting, known) ?? {};
    return text ? [{ name, level, text: `${name} (${place}): ${text}` }] : [];
  });
  const isNew = (text) =>
    !remarks.some(({ name }) => name === text.split(/[\s:]/, 1)[0]);
  const findings = [
    ...remarks.map(({ level, text }) => ({ level, text })),
    ...(api?.problems ?? [])
      .filter(isNew)
      .map((text) => wrong(withPlace(text, ['.flaskenv', '.env']))),
    ...wrongValues(),
    ...missingApp(all),
  ];
  if (api?.failure) {
    return wrong(
      `api/venv does not run the API's own packages: ${api.failure}\n` +
        'Delete api/venv; the next command makes it again.',
    );
  }
  if (findings.every(({ level }) => level === 'hint')) {
    const well =
      'Settings have names that are known, and values that can be read';
    findings.push(ok(well));
  }
  if (!api) {
    findings.push(
      hint(
        'The values of FLASK_* and WEB_* are checked once api/venv is there: npm run start-api makes it.',
      ),
    );
  }
  return findings;
}

/**
 * List the settings that the READMEs of both halves have in their tables.
 *
 * @returns {string[]}
 */
export function documentedSettings() {
  const texts = READMES.map((page) => readProjectFile(page) ?? '');
  return texts.flatMap((text) =>
    [...text.matchAll(ROW)].flatMap(([, names]) => names.match(/[A-Z_]+/g)),
  );
}

/** Ask the kit's own code, which knows what it takes; the app is not imported. */
async function askTheApi(settings) {
  if (!sitePackages()) return undefined;
  // Of PORT, `ports` says what is wrong with it.
  const given = Object.entries(settings).filter(
    ([name, value]) => value !== undefined && name !== 'PORT',
  );
  const env = {
    ...Object.fromEntries(given),
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONIOENCODING: 'utf-8',
  };
  try {
    const { stdout } = await execute(
      venvPython(),
      ['-m', 'react_flask_kit.settings_check'],
      { cwd: ROOT, env, timeout: LONGEST_CHECK, windowsHide: true },
    );
    return JSON.parse(stdout);
  } catch (error) {
    const reason = String(error.stderr || error.message).trim();
    return { failure: reason.split('\n').at(-1) };
  }
}

/** What the files of Flask say; where one cannot be read, `envFiles` says so. */
function readable() {
  try {
    return envFileSettings(process.env);
  } catch {
    return {};
  }
}

/** Each name that a file or the environment sets; of the latter, only what can be ours. */
function whereSet() {
  const inFiles = FILES.flatMap((file) =>
    Object.keys(namesIn(file)).map((name) => ({
      name,
      place: file,
      isInFile: true,
    })),
  );
  const inEnvironment = Object.keys(process.env)
    .filter((name) => /^(FLASK_|WEB_|REACT_?APP)/.test(name))
    .map((name) => ({ name, place: 'the environment', isInFile: false }));
  return [...inFiles, ...inEnvironment];
}

function namesIn(file) {
  try {
    return parseEnvFile(readEnvFile(file) ?? '');
  } catch {
    return {};
  }
}

function remarkOn({ name, place, isInFile }, known) {
  if (FOR_THE_CODE.test(name)) {
    const right = `REACT_APP_${name.replace(FOR_THE_CODE, '').toUpperCase()}`;
    if (!/^REACT_APP_\w/.test(name)) return wrong(`did you mean ${right}?`);
    return /(PASSWORD|SECRET)$/.test(name)
      ? hint(
          'it becomes a part of the page, so that every visitor can read it.',
        )
      : undefined;
  }
  if (isInFile && /^VITE_/.test(name)) {
    const right = name.replace('VITE_', 'REACT_APP_');
    return hint(`the page gets REACT_APP_* alone; name it ${right}.`);
  }
  if (name === 'FLASK_ENV') {
    return hint('it does nothing since Flask 2.3. Write FLASK_DEBUG=1 or 0.');
  }
  const right = nearest(name, known);
  if (right) {
    // Of other names, one that is alike may well be the app's own.
    const level = /^(FLASK|WEB)_/.test(right) ? wrong : hint;
    return level(`did you mean ${right}?`);
  }
  const isOfFrontend = isInFile && !READ_BY_FLASK.includes(place);
  return isOfFrontend && /^FLASK_(?!RUN_(PORT|HOST)$)/.test(name)
    ? hint('the API does not read this file. Write it into .env or .flaskenv.')
    : undefined;
}

/**
 * Find the setting that somebody has meant.
 *
 * @param {string} name
 * @param {string[]} known
 * @returns {string | undefined} undefined for one that is known, or like none that is
 */
export function nearest(name, known) {
  if (known.includes(name)) return undefined;
  if (/^FLASK_(PORT|HOST)$/.test(name)) return name.replace('_', '_RUN_');
  if (name.length < SHORTEST) return undefined;
  const stem = (text) => text.replace(/(YS?|IES|S)$/, '');
  const most = name.length < LONG ? 1 : 2;
  return known.find(
    (other) =>
      other.length >= SHORTEST &&
      // Beside HTTPS_PROXY there is HTTP_PROXY.
      !other.endsWith('_PROXY') &&
      (stem(other) === stem(name) ||
        other === name.toUpperCase() ||
        distance(name, other) <= most),
  );
}

/** Those of the frontend that are not refused, but do something else than they say. */
function wrongValues() {
  const values = Object.assign({}, ...FILES.map(namesIn), process.env);
  return Object.entries(VALUES)
    .filter(([name, [pattern]]) => values[name] && !pattern.test(values[name]))
    .map(([name, [, advice]]) =>
      wrong(
        withPlace(
          `${name}: write ${advice}; not ${JSON.stringify(values[name])}.`,
          FILES,
        ),
      ),
    );
}

/** Say behind the name of a setting, with which a text begins, where it is set. */
function withPlace(text, files) {
  const [name] = /^\w*/.exec(text);
  const place =
    process.env[name] === undefined
      ? files.findLast((file) => Object.hasOwn(namesIn(file), name))
      : 'the environment';
  return place ? `${name} (${place})${text.slice(name.length)}` : text;
}

function missingApp({ FLASK_APP: app }) {
  const [file] = (app ?? '').split(/:(?![\\/])/);
  const isMissing =
    file.endsWith('.py') && !fs.existsSync(path.resolve(ROOT, file));
  return isMissing
    ? [
        wrong(
          `FLASK_APP names ${file}, which is not there. Write where the app is.`,
        ),
      ]
    : [];
}

/** Check that git has no secret of this machine. */
export function committedSecrets() {
  const local = FILES.filter((name) => /^\.env$|\.local$/.test(name));
  const tracked = askGit(['ls-files', '-z', '--', ...FILES]);
  if (tracked === undefined) return [];
  const names = tracked.split('\0').filter(Boolean);
  const ofMachine = names.filter((name) => local.includes(name));
  const shared = names.filter((name) => !local.includes(name));
  const secrets = shared
    .filter((name) => name !== '.env.test')
    .flatMap((file) =>
      Object.entries(namesIn(file))
        .filter(
          ([name, value]) =>
            SECRET.test(name) && value && !FOR_THE_CODE.test(name),
        )
        .map(([name]) => `${name} in ${file}`),
    );
  const offered = local.filter(
    (name) =>
      fs.existsSync(path.join(ROOT, name)) &&
      !names.includes(name) &&
      askGit(['check-ignore', '--quiet', '--', name]) === undefined,
  );
  const findings = [
    ofMachine.length > 0 &&
      wrong(
        `git has ${list(ofMachine)}, which is for secrets. Run: git rm --cached ${ofMachine.join(' ')}\n` +
          'and choose other secrets, as everybody who has the history has these.',
      ),
    secrets.length > 0 &&
      wrong(
        `git has a secret: ${list(secrets)}. Write it into .env, and choose another one.`,
      ),
    offered.length > 0 &&
      wrong(
        `${list(offered)} is not ignored by git, and may be committed. Write the name into .gitignore.`,
      ),
  ].filter(Boolean);
  return findings.length > 0 ? findings : ok('git has no file of secrets');
}
