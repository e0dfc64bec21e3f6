import { run, stop } from '../lib/processes.js';

describe('stopping a program', () => {
  it('ends all that it started on Windows', () => {
    const execute = vi.fn();
    const kill = vi.fn();
    stop({ pid: 42, kill }, 'win32', execute);
    expect(execute).toHaveBeenCalledWith('taskkill', [
      '/pid',
      '42',
      '/t',
      '/f',
    ]);
    expect(kill).not.toHaveBeenCalled();
  });

  it.each([
    'linux',
    'darwin',
  ])('asks first and then insists on %s', (system) => {
    vi.useFakeTimers();
    onTestFinished(() => vi.useRealTimers());
    const kill = vi.fn();
    stop({ pid: 42, kill }, system);
    expect(kill.mock.calls).toEqual([['SIGTERM']]);
    vi.runAllTimers();
    expect(kill.mock.calls).toEqual([['SIGTERM'], ['SIGKILL']]);
  });
});

describe('running a program', () => {
  const script = (code) => [process.execPath, '-e', code];

  it('tells its exit code', async () => {
    expect(await run(script('process.exit(3)'))).toBe(3);
  });

  it('tells its signal as a shell does', async () => {
    const code = await run(script('process.kill(process.pid, "SIGKILL")'));
    // Windows knows no signals.
    expect(code).toBe(process.platform === 'win32' ? 1 : 137);
  });

  it('adds to the environment', async () => {
    const env = { KIT_TEST: '4' };
    const code = script('process.exit(Number(process.env.KIT_TEST))');
    expect(await run(code, { env })).toBe(4);
  });

  it('labels each line', async () => {
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    await run(script('console.log("one\\ntwo")'), { label: 'api │' });
    expect(write.mock.calls.flat()).toEqual(
      expect.arrayContaining(['api │ one\n', 'api │ two\n']),
    );
  });

  it('is over when it has ended, though an editor that it opened is not', async () => {
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const editor = `[process.execPath, ['-e', 'setTimeout(() => {}, 60000)']]`;
    const code = `const { pid } = require('node:child_process').spawn(...${editor},
      { stdio: 'inherit', detached: true }); console.log(pid); process.exit(4);`;
    expect(await run(script(code), { label: '│' })).toBe(4);
    const pid = Number(/\d+/.exec(write.mock.calls.flat().join('')));
    expect(process.kill(pid)).toBe(true);
  });

  it('that does not exist is an exit code and a message', async () => {
    const error = vi.spyOn(console, 'error').mockReturnValue();
    expect(await run(['no-such-program'])).toBe(127);
    expect(error).toHaveBeenCalledWith(
      expect.stringContaining('no-such-program'),
    );
  });
});
