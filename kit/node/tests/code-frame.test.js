import path from 'node:path';
import { codeFrame } from '../vite/code-frame.js';
import { project } from './projects.js';

// How Vite's overlay tells a frame from other text, in its client.
const FRAME = /^(?:(?:>?\s*\d+\s+\|.*|\s+\|\s*\^.*)\r?\n)+$/;

const TEN = Array.from({ length: 10 }, (_, i) => `line(${i + 1});`).join('\n');

it.each([
  [
    'the lines around a place',
    [TEN, 5, 6],
    `2 | line(2);
3 | line(3);
4 | line(4);
5 | line(5);
  |      ^
6 | line(6);
7 | line(7);
8 | line(8);
`,
  ],
  [
    'numbers of any width',
    [TEN, 9, 1],
    `6  | line(6);
7  | line(7);
8  | line(8);
9  | line(9);
   | ^
10 | line(10);
`,
  ],
  [
    'the first line',
    ['a\nb', 1, 1],
    `1 | a
  | ^
2 | b
`,
  ],
  [
    'where the text begins, without a column',
    ['def f():\n    return g()\n', 2],
    `1 | def f():
2 |     return g()
  |     ^
3 | 
`,
  ],
  [
    'tabs as tabs',
    ['if (a)\n\tb();\r\n', 2, 3],
    `1 | if (a)
2 | \tb();
  | \t ^
3 | 
`,
  ],
])('shows %s', (_name, [text, line, column], expected) => {
  const file = path.join(project({ 'a.js': text }), 'a.js');
  const shown = codeFrame({ file, line, column });
  expect(shown).toBe(expected);
  expect(shown).toMatch(FRAME);
});

it.each([
  ['the file cannot be read', 'missing.py', 1],
  ['the file has become shorter', 'a.py', 9],
])('is empty where %s', (_name, name, line) => {
  const file = path.join(project({ 'a.py': 'import os\n' }), name);
  expect(codeFrame({ file, line })).toBe('');
});

it('cuts what is too long to be read', () => {
  const folder = project({ 'a.py': `data = "${'x'.repeat(100_000)}"\n` });
  const shown = codeFrame({ file: path.join(folder, 'a.py'), line: 1 });
  expect(shown).toMatch(FRAME);
  expect(shown.length).toBeLessThan(1_000);
});
