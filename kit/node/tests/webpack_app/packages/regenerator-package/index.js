// As Babel compiled a generator for browsers of 2018.
var run = regeneratorRuntime.mark(function run() {
  return regeneratorRuntime.wrap((context) => {
    while (1) {
      switch ((context.prev = context.next)) {
        case 0:
          return context.abrupt('return', 'works');
        case 1:
        case 'end':
          return context.stop();
      }
    }
  }, run);
});

module.exports = () => run().next().value;
