/** The API's half: which Python, which packages, and how they are run. */
import path from 'node:path';
import {
  findPython,
  pythonCandidates,
  REQUIREMENTS,
  venvPython,
} from '../lib/api.js';
import { project } from './projects.js';

const importApi = () => import('../lib/api.js');

describe('Python', () => {
  it('is asked for by its own launcher first on Windows, where python3 is a stub', () => {
    expect(pythonCandidates('win32', {})).toEqual([
      ['py', '-3'],
      ['python'],
      ['python3'],
    ]);
  });

  it.each([
    'linux',
    'darwin',
  ])('is asked for by its names on %s', async (system) => {
    project({ 'pyproject.toml': 'requires-python = ">=3.11"\n' });
    const { pythonCandidates } = await importApi();
    expect(pythonCandidates(system, {}).flat()).toEqual([
      'python3',
      'python',
      'python3.14',
      'python3.13',
      'python3.12',
      'python3.11',
    ]);
  });

  it.each(['win32', 'linux', 'darwin'])('is PYTHON alone on %s', (system) => {
    const env = { PYTHON: '/opt/a python' };
    expect(pythonCandidates(system, env)).toEqual([['/opt/a python']]);
  });

  it('is the first that is new enough', () => {
    const versions = { python3: 'Python 3.9', 'python3.99': 'Python 3.99' };
    const candidates = [['python3'], ['python'], ['python3.99'], ['python4']];
    expect(findPython(candidates, ([name]) => versions[name])).toEqual({
      command: ['python3.99'],
      version: 'Python 3.99',
    });
  });

  it.each([
    'Python 2.7',
    'Python 3.9',
    'Python 4.0',
    undefined,
  ])('is not %s', (version) => {
    expect(() => findPython([['py', '-3']], () => version)).toThrow(
      `The API needs Python 3.10 or newer. Tried:\n  py -3: ${version ?? 'not found'}\n`,
    );
  });

  it('is in another folder of a virtual environment on Windows', () => {
    expect(venvPython('C:\\a b\\venv', 'win32')).toBe(
      'C:\\a b\\venv\\Scripts\\python.exe',
    );
    expect(venvPython('/a b/venv', 'darwin')).toBe('/a b/venv/bin/python');
    expect(venvPython('/a b/venv', 'linux')).toBe('/a b/venv/bin/python');
  });

  it("is the project's own, with the packages of the API", async () => {
    const folder = project();
    const { apiCommand } = await importApi();
    expect(apiCommand(['flask', 'routes'])).toEqual([
      venvPython(path.join(folder, 'api', 'venv')),
      '-m',
      'flask',
      'routes',
    ]);
  });
});

describe('the oldest Python', () => {
  it.each([
    ['[project]\nrequires-python = ">=3.12"\n', '3.12'],
    ["[project]\nrequires-python='>= 3.11, <4'\n", '3.11'],
    ['\uFEFFrequires-python = ">=3.13"\r\n', '3.13'],
    ['[project]\n# requires-python = ">=3.12"\n', '3.10'],
    ['[project]\nname = "a"\n', '3.10'],
  ])('of %j is %s', async (text, expected) => {
    project({ 'pyproject.toml': text });
    const { oldestPython } = await importApi();
    expect(oldestPython()).toBe(expected);
  });

  it('is the oldest known one without pyproject.toml', async () => {
    project();
    const { oldestPython } = await importApi();
    expect(oldestPython()).toBe('3.10');
  });
});

describe('the kit', () => {
  it.each([
    ['react-flask-kit = { path = "kit/python" }', 'kit/python'],
    ["react-flask-kit={editable=true,path='../kit'}", '../kit'],
    ['react-flask-kit = { git = "https://example.com/kit" }', undefined],
    ['other = { path = "kit/python" }', undefined],
    ['dependencies = ["react-flask-kit"]', undefined],
  ])('of %j is in %s', async (line, expected) => {
    project({ 'pyproject.toml': `[tool.uv.sources]\n${line}\n` });
    const { localKit } = await importApi();
    expect(localKit()).toBe(expected);
  });

  it('is a package of the index without pyproject.toml', async () => {
    project();
    const { localKit } = await importApi();
    expect(localKit()).toBeUndefined();
  });
});

it("the requirements are the app's, its tools' and those of the kit's tests", () => {
  expect(REQUIREMENTS).toEqual({
    app: 'api/requirements.txt',
    dev: 'api/requirements-dev.txt',
    kit: 'kit/python/requirements-test.txt',
  });
});

describe("the app's environment", () => {
  it('finds its own modules', async () => {
    const folder = project({ '.flaskenv': 'FLASK_APP=api/api.py\n' });
    vi.stubEnv('FLASK_APP', undefined);
    vi.stubEnv('PYTHONPATH', undefined);
    const { apiEnv } = await importApi();
    expect(apiEnv()).toEqual({ PYTHONPATH: path.join(folder, 'api') });
  });

  it('finds what PYTHONPATH has too, after them', async () => {
    const folder = project();
    vi.stubEnv('FLASK_APP', 'package:app');
    vi.stubEnv('PYTHONPATH', 'other');
    const { apiEnv } = await importApi();
    expect(apiEnv()).toEqual({
      PYTHONPATH: `${folder}${path.delimiter}other`,
    });
  });
});
