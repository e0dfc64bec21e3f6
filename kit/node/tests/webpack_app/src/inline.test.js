test('a thrown error is in the test as Jest wrote it', () => {
  expect(() => {
    throw new Error('a message');
  }).toThrowErrorMatchingInlineSnapshot(`"a message"`);
});
