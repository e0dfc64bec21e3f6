module.exports = { getUser: () => 'a user of __mocks__', name: 'a mock' };
