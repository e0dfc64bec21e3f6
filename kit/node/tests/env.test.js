// biome-ignore-all lint/suspicious/noTemplateCurlyInString: .env files have them
/**
 * .env files: what create-react-app's users wrote means what it meant, and a value that Flask
 * reads from the same file is the same one.
 */
import { parseEnvFile } from '../lib/env-file.js';
import {
  expand,
  readEnvironment,
  writeEnvironment,
} from '../vite/create-react-app/env.js';
import { project, write } from './projects.js';

describe('a line of an .env file', () => {
  it.each([
    ['a value', 'A=b', { A: 'b' }],
    ['spaces around it', '  A = b  ', { A: 'b' }],
    ['tabs around it', '\tA\t=\tb\t', { A: 'b' }],
    ['spaces in it', 'A=b  c', { A: 'b  c' }],
    ['nothing', 'A=\nB=1', { A: '', B: '1' }],
    ['nothing in quotes', `A=""\nB=''`, { A: '', B: '' }],
    ['export', 'export A=b', { A: 'b' }],
    ['export and spaces', 'export   A = b', { A: 'b' }],
    ['a name that begins so', 'exported=b', { exported: 'b' }],
    ['dots and dashes in a name', 'A.B=1\nC-D=2', { 'A.B': '1', 'C-D': '2' }],
    ['another =', 'A=b=c\nB==', { A: 'b=c', B: '=' }],
    [
      'letters of any language',
      'A=größe ✓\nB="日本"',
      { A: 'größe ✓', B: '日本' },
    ],
    ['the same name again', 'A=1\nA=2', { A: '2' }],
    ['no end', 'A=b', { A: 'b' }],
    ['backslashes', 'A=C:\\new', { A: 'C:\\new' }],
    ['JSON', 'A={"b": "c"}', { A: '{"b": "c"}' }],

    ['single quotes', `A='b "c" \\n # d'`, { A: 'b "c" \\n # d' }],
    ['double quotes', `A="b 'c' # d"`, { A: "b 'c' # d" }],
    ['\\n in double quotes', 'A="b\\nc"', { A: 'b\nc' }],
    ['spaces in quotes', 'A=" b "', { A: ' b ' }],
    ['spaces before quotes', "A=  'b'  ", { A: 'b' }],
    ['an escaped quote', String.raw`A="b\"c"`, { A: 'b"c' }],
    ['an escaped quote in single ones', String.raw`A='b\'c'`, { A: "b'c" }],
    ['escaped backslashes', String.raw`A="b\\"`, { A: String.raw`b\ `.trim() }],
    ['other escapes', String.raw`A="b\tc\d"`, { A: 'b\tc\\d' }],
    ['a name in quotes', "'A'=b", { A: 'b' }],
    ['a name without =', 'A\nB=1\nB', {}],
    ['a name of any language', 'größe=b', { größe: 'b' }],
    ['quotes within', `A=it's "b"`, { A: `it's "b"` }],
    ['backticks', 'A=`b`', { A: '`b`' }],
    ['several lines', 'A="b\n\n# c\nD=d"\nE=1', { A: 'b\n\n# c\nD=d', E: '1' }],
    ['several lines in single quotes', "A='b\nc'\nD=1", { A: 'b\nc', D: '1' }],

    ['a comment', "# A=c\n  # it's\nB=1\n#", { B: '1' }],
    ['a comment after it', 'A=b # c\nB=b\t#c', { A: 'b', B: 'b' }],
    ['a comment after quotes', 'A="b" # or "c"', { A: 'b' }],
    ['a comment for a value', 'A= # b', { A: '' }],
    ['a colour', 'A=#010203', { A: '#010203' }],
    ['a fragment', 'A=https://a.b/#/c', { A: 'https://a.b/#/c' }],
    ['a hash within', 'A=b#c', { A: 'b#c' }],

    ["Windows' ends", 'A=b\r\n\r\nB="c"\r\nC=\r\n', { A: 'b', B: 'c', C: '' }],
    ["Windows' ends in quotes", 'A="b\r\nc"\r\n', { A: 'b\nc' }],
    ["an old Mac's ends", 'A=b\rB=c', { A: 'b', B: 'c' }],
    ['a byte order mark', '\uFEFFA=b\nB=c', { A: 'b', B: 'c' }],
    ['a byte order mark alone', '\uFEFF', {}],
    ['nothing at all', '', {}],
  ])('may have %s', (_name, text, expected) => {
    const refuse = vi.fn();
    expect(parseEnvFile(text, refuse)).toEqual(expected);
    expect(refuse).not.toHaveBeenCalled();
  });

  it.each([
    ['two words', 'A=1\ntwo words\n\nB=2', [2, 'two words']],
    ['export without a name', 'A=1\nexport =1\nB=2', [2, 'export =1']],
    ['more after several lines', 'A=1\nC="1\nA=2" x\nB=2', [2, 'C="1']],
    ['a colon', '\nA: b\nB=2\nA=1', [2, 'A: b']],
    ['a space in its name', 'A=1\r\nA B=1\r\nB=2', [2, 'A B=1']],
    ['no name', 'A=1\nB=2\n =b', [3, '=b']],
    ['a quote that does not end', '\uFEFFA="b\nA=1\nB=2', [1, 'A="b']],
    ['more than a quoted value', 'A=1\nB=2\nC="b" c', [3, 'C="b" c']],
    ['a mistake after several lines', 'A="\n\n"\na b\nA=1\nB=2', [4, 'a b']],
  ])('is refused for %s, and the others are read', (_name, text, mistake) => {
    const refuse = vi.fn();
    expect(parseEnvFile(text, refuse)).toEqual({ A: '1', B: '2' });
    expect(refuse.mock.calls).toEqual([mistake]);
  });
});

describe('a reference', () => {
  it.each([
    ['by name', { A: '1', B: 'x$A y' }, { B: 'x1 y' }],
    ['in braces', { A: '1', B: 'x${A}y' }, { B: 'x1y' }],
    ['to a later one', { B: '$A', A: '$C', C: '1' }, { A: '1', B: '1' }],
    ['beside another one', { A: '1', B: '$A$A-$A' }, { B: '11-1' }],
    ['to nothing', { A: 'x$NO y' }, { A: 'x y' }],
    ['to nothing, with a default', { A: '${NO:-a b}' }, { A: 'a b' }],
    ['to something, with a default', { A: '1', B: '${A:-2}' }, { B: '1' }],
    ['to the environment', { A: '$HOME' }, { A: '/home' }],
    [
      'to what the environment overrides',
      { HOME: '1', A: '$HOME' },
      { A: '/home' },
    ],
    ['to what is empty there', { EMPTY: '1', A: 'x${EMPTY}' }, { A: 'x' }],
    ['to a dollar there', { A: '$PASSWORD' }, { A: 'pa$HOME$&' }],
    ['escaped', { A: '\\$5', B: '\\$A \\${A}' }, { A: '$5', B: '$A ${A}' }],
    ['escaped, by reference', { A: '\\$B', B: '1', C: '$A' }, { C: '$B' }],
    ['to itself', { A: 'x$A' }, { A: 'x' }],
    ['in a circle', { A: 'a$B', B: 'b$A' }, { A: 'ab', B: 'ba' }],
    ['to a name of JavaScript', { A: '$constructor' }, { A: '' }],
    [
      'that is none',
      { A: '100$', B: '$ ${ $(date)' },
      { A: '100$', B: '$ ${ $(date)' },
    ],
  ])('%s', (_name, set, expected) => {
    const environment = { HOME: '/home', EMPTY: '', PASSWORD: 'pa$HOME$&' };
    expect(expand(set, environment)).toMatchObject(expected);
  });
});

describe('the environment', () => {
  const FILES = {
    '.env': 'A=1\nB=1\nC=1\nD=1\nE=1\nF=$D\n',
    '.env.development': 'B=2\nC=2\nD=2\n',
    '.env.test': 'B=3\nC=3\nD=3\n',
    '.env.local': 'C=4\nD=4\n',
    '.env.development.local': 'D=5\nE=$E\n',
    '.env.test.local': 'D=6\n',
  };
  const KEPT = Symbol.for('react-flask-kit:environment');

  function read(folder, mode) {
    const before = process[KEPT];
    process[KEPT] = { E: 'environment' };
    onTestFinished(() => {
      process[KEPT] = before;
    });
    return readEnvironment(folder, mode);
  }

  it.each([
    ['development', { A: '1', B: '2', C: '4', D: '5', F: '5' }],
    ['production', { A: '1', B: '1', C: '4', D: '4', F: '4' }],
    ['test', { A: '1', B: '3', C: '3', D: '6', F: '6' }],
  ])('has the files in the order of create-react-app in %s', (mode, expected) => {
    const folder = project(FILES);
    expect(read(folder, mode)).toEqual({ ...expected, E: 'environment' });
  });

  it('needs no file', () => {
    expect(read(project(), 'development')).toEqual({ E: 'environment' });
  });

  it('has what the API reads too as it is there', () => {
    const folder = project({
      '.env': 'PORT=${A}$A\nHOST=$A\nA=1\nFLASK_RUN_PORT=${A}\nB=$A\n',
      '.env.development': 'HOST=$A\n',
    });
    expect(read(folder, 'development')).toMatchObject({
      PORT: '$A',
      HOST: '1',
      FLASK_RUN_PORT: '1',
      B: '1',
    });
  });

  it('of the process follows the files, but not over what it was started with', () => {
    vi.stubEnv('E', 'environment');
    for (const name of ['A', 'B', 'C', 'FLASK_A']) vi.stubEnv(name, undefined);
    onTestFinished(() => writeEnvironment({}));
    const folder = project();
    const set = (text) => {
      write(folder, { '.env': text });
      writeEnvironment(read(folder, 'development'));
      const { A, B, C, E, FLASK_A } = process.env;
      return { A, B, C, E, FLASK_A };
    };
    const E = 'environment';
    expect(set('A=1\nB=1\nE=1\nFLASK_A=1')).toEqual({ A: '1', B: '1', E });
    expect(set('A=2\nC=2')).toEqual({ A: '2', C: '2', E });
    process.env.C = 'of somebody else';
    expect(set('')).toEqual({ C: 'of somebody else', E });
  });

  it('names the file and line of a mistake', () => {
    const folder = project({ '.env.local': '\uFEFFA="1\n2"\n\n A 1 \n' });
    expect(() => read(folder, 'development')).toThrow(
      /^\.env\.local, line 4 is not NAME=VALUE: A 1$/,
    );
  });
});
