/** What the error overlay shows of a Python exception, and when. */
import { EventEmitter } from 'node:events';
import path from 'node:path';
import { Overlay } from '../vite/flask/overlay.js';
import { overlayError } from '../vite/flask/overlay-error.js';
import { project } from './projects.js';

const HEADER = 'Traceback (most recent call last):';
const CAUSE =
  'The above exception was the direct cause of the following exception:';
const CONTEXT =
  'During handling of the above exception, another exception occurred:';
const VENV = '/p/api/venv/lib/python3.11/site-packages/flask/app.py';
const KIT = '/p/kit/python/src/react_flask_kit/layer.py';

const frame = (file, line, name = 'f') =>
  `  File "${file}", line ${line}, in ${name}\n    code(${line})`;

/** Show an exception whose traceback has these lines. */
function shown(lines, { root = '/p', ...crash } = {}) {
  const traceback = lines.join('\n');
  const exception = lines.at(-1).trim();
  return overlayError({ exception, traceback, ...crash }, 'GET /x', root);
}

describe('the stack', () => {
  it.each([
    [
      'has the own code first, the innermost before what called it',
      [
        frame(VENV, 1),
        frame(KIT, 2),
        frame('/p/api/api.py', 3, 'view'),
        frame('/p/api/books.py', 4, 'load'),
        frame('/usr/lib/python3.11/json/decoder.py', 5),
      ],
      '  /p/api/books.py:4:1 in load\n    code(4)\n' +
        '  /p/api/api.py:3:1 in view\n    code(3)\n  … 3 in libraries',
    ],
    [
      'has the innermost of the libraries where no code is own',
      [1, 2, 3, 4, 5].map((line) => frame(VENV, line)),
      [5, 4, 3].map((n) => `  ${VENV}:${n}:1 in f\n    code(${n})\n`).join('') +
        '  … 2 in libraries',
    ],
    [
      'has both ends of a deep recursion',
      Array.from({ length: 1000 }, (_, i) => frame('/p/api/api.py', i + 1)),
      /^ {2}\/p\/api\/api.py:1000:1.*… 987 more.*api.py:1:1 in f\n {4}code\(1\)$/s,
    ],
    [
      'has what Python says of a repeated line',
      [
        frame('/p/api/api.py', 1),
        frame('/p/api/api.py', 2),
        '  [Previous line repeated 994 more times]',
      ],
      '  /p/api/api.py:2:1 in f\n    code(2)\n' +
        '  [Previous line repeated 994 more times]\n' +
        '  /p/api/api.py:1:1 in f\n    code(1)',
    ],
    [
      "has the place of a SyntaxError, and Python's mark",
      [
        frame(VENV, 1),
        '  File "/p/api/api.py", line 7\n    def f(:\n          ^',
      ],
      '  /p/api/api.py:7:1 in this file\n    def f(:\n          ^\n  … 1 in libraries',
    ],
  ])('%s', (_name, frames, expected) => {
    const { stack } = shown([HEADER, ...frames, 'ValueError: x']);
    if (expected instanceof RegExp) expect(stack).toMatch(expected);
    else expect(stack).toBe(expected);
  });

  it.each([
    ['C:\\p', 'C:\\p\\api\\api.py'],
    // So Vite writes the folder.
    ['C:/p', 'c:\\p\\api\\api.py'],
    ['C:/Python/Lib', 'C:\\Python\\Lib\\api\\api.py'],
    ['/home/me/react_flask_kit', '/home/me/react_flask_kit/api/api.py'],
    ['/opt/lib/python3.11/app', '/opt/lib/python3.11/app/api/api.py'],
    // A sibling that the API imports.
    ['/p', '/shared/models.py'],
  ])('counts as own in %s: %s', (root, file) => {
    const lines = [HEADER, frame(VENV, 1), frame(file, 3), 'ValueError: x'];
    const { stack, loc } = shown(lines, { root });
    expect(stack).toContain(`  ${file}:3:1 in f`);
    expect(stack).toContain('… 1 in libraries');
    expect(loc).toEqual({ file, line: 3, column: 1 });
  });

  it.each([
    '/p/kit/python/src/react_flask_kit/layer.py',
    'C:\\p\\kit\\python\\src\\react_flask_kit\\layer.py',
    'C:\\p\\api\\venv\\Lib\\site-packages\\flask\\app.py',
    'C:\\Users\\me\\AppData\\Local\\Programs\\Python\\Python312\\Lib\\json\\decoder.py',
    'C:\\Users\\me\\miniconda3\\lib\\json\\decoder.py',
    '/usr/lib/python3/dist-packages/yaml/loader.py',
    '/opt/python/lib/python3.13t/asyncio/runners.py',
    '/p/env/lib/python3.12/json/decoder.py',
    '<frozen importlib._bootstrap>',
    '<string>',
  ])('counts as a library: %s', (file) => {
    const lines = [HEADER, frame('/p/a.py', 1), frame(file, 2), 'E: x'];
    for (const root of ['/p', 'C:/p']) {
      const { stack } = shown(lines, { root });
      expect(stack).toBe('  /p/a.py:1:1 in f\n    code(1)\n  … 1 in libraries');
    }
  });

  it('tells the causes after the exception that was raised last', () => {
    const { exception, stack } = shown([
      HEADER,
      frame('/p/a.py', 1),
      "KeyError: 'first'",
      '',
      CAUSE,
      '',
      HEADER,
      frame('/p/a.py', 2),
      'ValueError: second',
      '',
      CONTEXT,
      '',
      HEADER,
      frame(VENV, 3),
      frame('/p/a.py', 4),
      'RuntimeError: third',
    ]);
    expect(exception).toBe('RuntimeError: third');
    expect(stack).toBe(
      '  /p/a.py:4:1 in f\n    code(4)\n  … 1 in libraries\n\n' +
        'While handling: ValueError: second\n  /p/a.py:2:1 in f\n    code(2)\n\n' +
        "Caused by: KeyError: 'first'\n  /p/a.py:1:1 in f\n    code(1)",
    );
  });

  it('tells each exception of a group, with its causes', () => {
    const { stack } = shown(
      [
        `  + Exception Group ${HEADER}`,
        '  |   File "/p/a.py", line 9, in f',
        '  |     async with TaskGroup():',
        '  | ExceptionGroup: many (2 sub-exceptions)',
        '  +-+---------------- 1 ----------------',
        `    | ${HEADER}`,
        '    |   File "/p/a.py", line 1, in f',
        '    | KeyError: 1',
        '    | ',
        `    | ${CAUSE}`,
        '    | ',
        `    | ${HEADER}`,
        '    |   File "/p/a.py", line 2, in f',
        '    | ValueError: 2',
        '    +---------------- 2 ----------------',
        '    | ExceptionGroup: inner (1 sub-exception)',
        '    +-+---------------- 1 ----------------',
        '      | TypeError: 3',
        '      +------------------------------------',
        '',
        CONTEXT,
        '',
        HEADER,
        frame('/p/a.py', 4),
        'OSError: 4',
      ],
      { exception: 'OSError: 4' },
    );
    expect(stack.split('\n').filter((line) => !/^ {4}|^$/.test(line))).toEqual([
      '  /p/a.py:4:1 in f',
      'While handling: ExceptionGroup: many (2 sub-exceptions)',
      '  /p/a.py:9:1 in f',
      'Part 1: ValueError: 2',
      '  /p/a.py:2:1 in f',
      'Caused by: KeyError: 1',
      '  /p/a.py:1:1 in f',
      'Part 2: ExceptionGroup: inner (1 sub-exception)',
      'Part 1: TypeError: 3',
    ]);
  });

  it('has what a command has printed', () => {
    const { exception, stack } = shown(
      [
        'INFO: upgrade',
        HEADER,
        frame('/p/migrations/1.py', 2, 'upgrade'),
        'OperationalError: no such table',
        'The end.',
      ],
      { exception: 'ReleaseError: flask db upgrade failed' },
    );
    expect(exception).toBe('ReleaseError: flask db upgrade failed');
    expect(stack).toBe(
      '  /p/migrations/1.py:2:1 in upgrade\n    code(2)\n' +
        'OperationalError: no such table\nThe end.\n\n' +
        'Printed before: INFO: upgrade',
    );
  });
});

describe('the message', () => {
  it('has the exception, the request and the cure', () => {
    const { message } = shown(["KeyError: 'A'"], { cure: 'Write A=… to .env' });
    expect(message).toBe("KeyError: 'A'\n\nGET /x\n\nWrite A=… to .env");
  });

  it('has the notes of the exception', () => {
    const lines = [HEADER, frame('/p/a.py', 1), 'app.E: x', 'Try this.'];
    const { exception } = shown(lines, { exception: 'E: x' });
    expect(exception).toBe('E: x\nTry this.');
  });

  it('has no control characters, as a command prints them', () => {
    const { exception, stack } = shown(['', '\u001b[31mE: x\u001b[0m']);
    expect([exception, stack]).toEqual(['E: x', '']);
  });

  it('is cut where it is too long to be read', () => {
    const long = `ValueError: ${'x'.repeat(100_000)}`;
    const { message, stack } = shown([
      HEADER,
      frame('/p/a.py', 1),
      long,
      '',
      CAUSE,
      '',
      HEADER,
      frame('/p/a.py', 2),
      long,
    ]);
    expect(message).toMatch(/x… \(98,012 more characters\)\n\nGET \/x$/);
    expect(stack).toMatch(/Caused by: ValueError: x+… \(99,512 more/);
    expect(message.length + stack.length).toBeLessThan(3_000);
  });
});

describe('the place', () => {
  const api = '/p/api/api.py';

  it.each([
    ['that Python tells', { file: api, line: 3 }, [frame(api, 9)], 3],
    [
      'of the own code, where Python tells a library',
      { file: VENV, line: 3 },
      [frame(api, 9), frame(VENV, 3)],
      9,
    ],
    [
      'of the own code that calls what has no file',
      { file: '<string>', line: 1 },
      [frame(api, 9), '  File "<string>", line 1'],
      9,
    ],
    ['of a library, where there is no other', { file: VENV, line: 3 }, [], 3],
  ])('is that %s', (_name, told, frames, line) => {
    const { id, loc } = shown([HEADER, ...frames, 'E: x'], told);
    expect(loc.line).toBe(line);
    expect(id).toBe(loc.file);
  });

  it('is shown with its lines', () => {
    const folder = project({ 'api.py': 'import tiem\n' });
    const file = path.join(folder, 'api.py');
    const { frame } = shown(['E: x'], { file, line: 1, root: folder });
    expect(frame).toContain('1 | import tiem');
  });

  it.each([
    ['a server that ended', { traceback: '' }],
    ['a text without a file', { file: '<string>', line: 1 }],
  ])('is none for %s', (_name, crash) => {
    const error = shown(['Port 5001 is taken.'], crash);
    expect(error).toMatchObject({ frame: '', stack: '' });
    expect(error).not.toHaveProperty('id');
    expect(error).not.toHaveProperty('loc');
  });
});

describe('the overlay', () => {
  const crash = (exception) => ({ exception, traceback: '' });
  const problem = (body) => Buffer.from(JSON.stringify(body));

  /** Make an overlay, and a list of what the page is sent. */
  function setUp() {
    vi.useFakeTimers({ toFake: ['Date', 'setImmediate'] });
    onTestFinished(() => vi.useRealTimers());
    const sent = [];
    const receive = (message) =>
      sent.push(message.err?.exception ?? message.event ?? message);
    const ws = Object.assign(new EventEmitter(), {
      clients: new Set(['a page']),
      send: receive,
    });
    const overlay = new Overlay({ ws, config: { root: '/p', server: {} } });
    const open = () => {
      sent.length = 0;
      ws.emit('vite:client:connect', undefined, { send: receive });
      vi.runAllTimers();
      return sent;
    };
    return { overlay, sent, open };
  }

  it('appears once for a crash that comes twice, and again a second later', () => {
    const { overlay, sent } = setUp();
    overlay.show(crash('E: 1'), 'GET /x');
    vi.advanceTimersByTime(900);
    overlay.show(crash('E: 1'), 'GET /x');
    expect(sent).toEqual(['E: 1']);
    overlay.show(crash('E: 1'), 'GET /y');
    overlay.show(crash('E: 2'), 'GET /y');
    vi.advanceTimersByTime(1_000);
    overlay.show(crash('E: 2'), 'GET /y');
    expect(sent).toEqual(['E: 1', 'E: 1', 'E: 2', 'E: 2']);
  });

  it('appears in a page that is opened within two seconds of a crash', () => {
    const { overlay, open } = setUp();
    overlay.show(crash('E: 1'), 'GET /x');
    vi.advanceTimersByTime(900);
    overlay.show(crash('E: 1'), 'GET /x');
    vi.advanceTimersByTime(1_900);
    expect(open()).toEqual(['E: 1']);
    vi.advanceTimersByTime(200);
    expect(open()).toEqual([]);
  });

  it('shows what lasts in each page, whatever a request says, until it is well', () => {
    const { overlay, sent, open } = setUp();
    overlay.show(crash('no app'), 'import', { lasts: true });
    vi.advanceTimersByTime(60_000);
    overlay.showProblem(problem(crash('E: 1')), 'GET /x');
    expect(sent).toEqual(['no app', 'no app']);
    vi.advanceTimersByTime(60_000);
    expect(open()).toEqual(['no app']);
    overlay.show(crash('still no app'), 'import', { lasts: true });
    expect(open()).toEqual(['still no app']);
    overlay.clear();
    expect(open()).toEqual([]);
  });

  it.each([
    ['null'],
    ['{'],
    ['"text"'],
    ['{"traceback": ["a list"], "exception": "E"}'],
    ['{"detail": "The database is down."}'],
  ])('does not appear for a 500 that says %s', (body) => {
    const { overlay, sent } = setUp();
    expect(overlay.showProblem(Buffer.from(body), 'GET /x')).toBe(false);
    expect(sent).toEqual([]);
  });
});
