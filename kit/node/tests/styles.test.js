/** Names of classes: those of react-scripts, in signs that everybody reads alike. */
import { scopedName } from '../vite/create-react-app/styles.js';

const name = (file, local) => scopedName('/page', `/page/src/${file}`, local);
const hash = (text) => text.replace(/__[\w-]{5}$/, '__hash');

it.each([
  ['Button.module.css', 'button', 'Button_button__hash'],
  ['Button.module.scss', 'button', 'Button_button__hash'],
  ['Button.module.css?used', 'button', 'Button_button__hash'],
  ['Button/index.module.css', 'button', 'Button_button__hash'],
  ['Button/index.module.sass', 'button', 'Button_button__hash'],
  ['Card.styles.module.css', 'card', 'Card_styles_card__hash'],
  ['v1.2/index.module.css', 'x', 'v1_2_x__hash'],
  ['2col.module.css', 'col', '_2col_col__hash'],
  ['-2col.module.css', 'col', '_-2col_col__hash'],
  ['--col.module.css', 'col', '_--col_col__hash'],
  ['My Card.module.css', 'my', 'My-Card_my__hash'],
  ['näme.module.css', 'é', 'näme_é__hash'],
  ['@a+[b].module.css', 'x', '-a--b-_x__hash'],
  ['a.module.css', 'md\\:w-1\\/2', 'a_md-w-1-2__hash'],
  ['a.module.css', '\\31 0', 'a_10__hash'],
  ['a.module.css', 'a\\.b', 'a_a_b__hash'],
])('%s: .%s is %s', (file, local, expected) => {
  const scoped = name(file, local);
  expect(hash(scoped)).toBe(expected);
  // An identifier of CSS that needs no escape.
  expect(scoped).toMatch(/^-?[_a-z\u00A0-\uFFFF][\w\u00A0-\uFFFF-]*$/i);
});

it('differs by place and by name', () => {
  const names = [
    name('a.module.css', 'x:y'),
    name('a.module.css', 'x-y'),
    name('b/a.module.css', 'x-y'),
  ];
  expect(new Set(names).size).toBe(3);
});

it('is the same on every machine', () => {
  expect(scopedName('/elsewhere', '/elsewhere/src/a.module.css', 'x')).toBe(
    name('a.module.css', 'x'),
  );
});
