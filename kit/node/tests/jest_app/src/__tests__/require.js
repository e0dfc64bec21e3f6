const { add, default: nameOfMath } = require('../lib/math');
const config = require('../lib/config.json');
const logo = require('../lib/logo.png');
const greet = require('cjs-greeter');
const fs = require('fs');

test('require() at the top gives what CommonJS gives', () => {
  expect(add(1, 2)).toBe(3);
  expect(nameOfMath).toBe('math');
  expect(config).toEqual({ answer: 42 });
  expect(logo).toBe('logo.png');
  expect(greet('Ada')).toBe('Hello Ada');
  expect(fs.existsSync('/no/such/file')).toBe(false);
  expect(require('../lib/math').__esModule).toBe(true);
  expect(global.answerAtSetup).toBe(42);
});

describe('modules that are reset', () => {
  let math;
  beforeEach(() => {
    jest.resetModules();
    math = require('../lib/math');
  });

  test.each([1, 2])('begin anew, time %i', () => {
    expect(math.next()).toBe(1);
    expect(math.next()).toBe(2);
  });

  it('see what doMock gives', () => {
    jest.doMock('../lib/config.json', () => ({ answer: 7 }));
    expect(require('../lib/config')).toEqual({ answer: 7 });
    expect(require('../lib/settings').answer()).toBe(7);
    jest.dontMock('../lib/config.json');
    jest.resetModules();
    expect(require('../lib/config')).toEqual({ answer: 42 });
  });

  it('may throw when they are loaded', () => {
    process.env.BROKEN = 'yes';
    expect(() => require('../lib/settings')).toThrow('are broken');
    delete process.env.BROKEN;
    jest.resetModules();
    expect(() => {
      require('../lib/settings');
    }).not.toThrow();
  });

  function settingsWith(answer) {
    jest.doMock('../lib/config.json', () => ({ answer }));
    return require('../lib/settings').answer();
  }
  const ask = (answer) => settingsWith(answer) + 1;

  it('can be loaded by functions of the file', () => {
    expect(settingsWith(1)).toBe(1);
    jest.resetModules();
    const answers = [];
    [2, 3].forEach((answer) => {
      jest.resetModules();
      answers.push(ask(answer));
    });
    expect(answers).toEqual([3, 4]);
    jest.dontMock('../lib/config.json');
  });

  it('can be loaded for each of a list', () => {
    const answers = [4, 5].map((answer) => {
      jest.resetModules();
      return ask(answer);
    });
    expect(answers).toEqual([5, 6]);
    jest.dontMock('../lib/config.json');
  });

  it('may be missing', () => {
    const load = () => require('../lib/missing');
    expect(load).toThrow('Cannot find module');
    let found = true;
    try {
      require('../lib/missing');
    } catch {
      found = false;
    }
    expect(found).toBe(false);
  });

  it('can be isolated', () => {
    let first;
    jest.isolateModules(() => {
      first = require('../lib/math');
      first.next();
    });
    jest.isolateModules(() => {
      const second = require('../lib/math');
      expect(second.next()).toBe(1);
    });
    expect(first.next()).toBe(2);
  });
});

for (const name of ['math', 'settings']) {
  const module = require(`../lib/${name}`);
  test(`${name} is found by a name that is put together`, () => {
    expect(module).toEqual(expect.any(Object));
  });
}
