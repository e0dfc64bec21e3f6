import { problem } from './project.js';

/** How the starter itself is called, wherever a project of one's own has its names. */
export const STARTER = {
  name: 'React + Flask',
  slug: 'react-flask-app',
  description: 'A React frontend and a Flask API in one program.',
};

const LONGEST = { name: 60, slug: 50, description: 200 };
// What ends a line, and what lets a text look like another one (Unicode TR 36, 2.10).
const UNSEEN = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u;
// Letters that are not a Latin one with a mark.
const LATIN = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
};
// What YAML 1.1 takes for no text.
const OF_YAML = /^(y|n|yes|no|on|off|true|false|null)$/;
// Names that the machines of deploy/ and docs/ have already, and file names that Windows keeps.
const OF_MACHINES = /^(default|kube-.*|localhost|nginx|staging|systemd.*)$/;
const OF_WINDOWS = /^(aux|con|nul|prn|(com|lpt)\d)$/;

/**
 * Check what a project shall be called.
 *
 * @param {string} given such as 'Book Shelf'
 * @param {object} options
 * @param {string} [options.slug] the short name; made of the name, unless given
 * @param {string} [options.description] one line; the starter's, unless given
 * @param {Set<string>} options.packages whose names the project cannot have
 * @returns {{ name: string, slug: string, description: string }} `slug` is a name of npm and
 *   PyPI, of an image, and a DNS label (RFC 1123), and no value of YAML but a text
 * @throws {Error} when one of them will not do
 */
export function readNames(given, { slug, description, packages }) {
  const name = readLine('name', given);
  if (!/[\p{L}\p{N}]/u.test(name)) {
    throw problem(`The name "${name}" has no letter. Add one.`);
  }
  if (name === STARTER.name || name === STARTER.slug) {
    throw problem(`"${name}" is the starter. Give your project its own name.`);
  }
  return {
    name,
    slug: readSlug(slug ?? slugOf(name), packages),
    description:
      description === undefined
        ? STARTER.description
        : readLine('description', description),
  };
}

function readLine(what, given) {
  const text = given.normalize('NFC').trim();
  if (text === '') throw problem(`The ${what} is empty.`);
  if (UNSEEN.test(text) || !text.isWellFormed()) {
    throw problem(
      `The ${what} has line breaks or characters that nobody sees: ${JSON.stringify(text)}`,
    );
  }
  const { length } = [...text];
  if (length > LONGEST[what]) {
    throw problem(
      `The ${what} has ${length} characters; ${LONGEST[what]} are the most.`,
    );
  }
  return text;
}

/**
 * Make the short name of a name.
 *
 * @param {string} name
 * @returns {string} of a-z, 0-9 and single hyphens
 * @throws {Error} when a letter of it has no Latin one, so that the result would be another word
 */
export function slugOf(name) {
  const latin = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\p{M}'’]/gu, '')
    .replace(/[^ -~]/gu, (letter) => LATIN[letter] ?? letter);
  if (/[^\P{L}a-z]|[^\P{N}0-9]/u.test(latin)) {
    throw problem(
      `The short name of "${name}" cannot be made of its letters: package managers, containers ` +
        'and addresses take a-z only. Choose one, for example: --slug my-project',
    );
  }
  return latin.replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '');
}

function readSlug(slug, packages) {
  const why = whyNot(slug, packages);
  if (!why) return slug;
  throw problem(
    `The short name "${slug}" will not do: ${why}\nChoose one, for example: --slug my-project`,
  );
}

function whyNot(slug, packages) {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(slug)) {
    return 'it must begin with a letter, and have only a-z, 0-9 and single hyphens between them.';
  }
  if (slug.length > LONGEST.slug) {
    return `it has ${slug.length} characters; ${LONGEST.slug} are the most.`;
  }
  if (slug === STARTER.slug) return 'it is that of the starter.';
  if (packages.has(slug)) return 'it is the name of a package that is used.';
  if (OF_YAML.test(slug)) return 'YAML takes it for a value.';
  if (OF_WINDOWS.test(slug)) return 'Windows has no folder of this name.';
  if (OF_MACHINES.test(slug)) {
    return 'it is taken on the machines that the project is deployed to.';
  }
  return undefined;
}
