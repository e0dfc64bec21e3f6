const real = jest.requireActual('cjs-store');

module.exports = { ...real, get: () => 'the store of src/__mocks__' };
