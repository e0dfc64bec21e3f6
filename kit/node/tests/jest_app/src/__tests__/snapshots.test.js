import { render } from '@testing-library/react';

class Point {
  x = 1;
}

const value = {
  text: 'with "quotes", `backticks` and $ {dollars} \\ more',
  list: [1, [2], new Set(['a']), new Map([['k', { v: null }]])],
  made: new Point(),
  call: () => 1,
  none: undefined,
  when: new Date(0),
  matches: /a\/b/g,
  error: new TypeError('wrong'),
  none2: Object.create(null),
  symbol: Symbol('s'),
};

test('of a value', () => {
  expect(value).toMatchSnapshot();
  expect('one\nmore "lines"').toMatchSnapshot();
  expect(value.list).toMatchSnapshot('with a hint');
  expect(value.made).toMatchSnapshot('with a hint');
});

describe('in a suite', () => {
  describe('within another: it', () => {
    test('is named by all', () => {
      const { container, asFragment } = render(
        <div className="page" style={{ color: 'red' }}>
          <input type="checkbox" defaultChecked disabled />
          <p data-x='"'>text &amp; more</p>
        </div>,
      );
      expect(container.firstChild).toMatchSnapshot();
      expect(asFragment()).toMatchSnapshot();
      expect(
        <ul key="a" id="b">
          <li onFocus={() => {}}>{'item'}</li>
        </ul>,
      ).toMatchSnapshot('an element');
    });
  });

  test('is named by all', () => {
    const call = jest.fn();
    call('a', { b: 1 });
    expect(call).toMatchSnapshot();
    expect(jest.fn().mockName('named')).toMatchSnapshot();
    expect(jest.fn()).toMatchSnapshot();
  });

  test.skip('is skipped', () => {
    expect(1).toMatchSnapshot();
  });
});

test('of errors', async () => {
  const fail = () => {
    throw new Error('it is "broken"');
  };
  expect(fail).toThrowErrorMatchingSnapshot();
  await expect(
    Promise.reject(new Error('late')),
  ).rejects.toThrowErrorMatchingSnapshot();
  expect(fail).toThrowErrorMatchingInlineSnapshot(`"it is \\"broken\\""`);
});

test('with properties', () => {
  expect({ at: new Date(), id: 7, name: 'Ada' }).toMatchSnapshot({
    at: expect.any(Date),
    id: expect.any(Number),
  });
});

test('between the lines', () => {
  expect({ a: [1, { b: 'with "quotes"' }] }).toMatchInlineSnapshot(`
    Object {
      "a": Array [
        1,
        Object {
          "b": "with \\"quotes\\"",
        },
      ],
    }
  `);
  expect('text').toMatchInlineSnapshot(`"text"`);
  const { container } = render(<b>bold</b>);
  expect(container).toMatchInlineSnapshot(`
    <div>
      <b>
        bold
      </b>
    </div>
  `);
  expect({ id: 7 }).toMatchInlineSnapshot(
    { id: expect.any(Number) },
    `
    Object {
      "id": Any<Number>,
    }
  `,
  );
});
