class Greeting {
  get greet() {
    return 'hello';
  }
}

module.exports = new Greeting();
