import fs from 'node:fs';
import path from 'node:path';
import { problem, readPackage } from '../../lib/project.js';
import { buildOutput } from './build.js';
import { forPage, readEnvironment, writeEnvironment } from './env.js';
import { publicIndexHtml } from './html.js';
import { imports } from './imports.js';
import { runtimeErrors } from './overlay.js';
import { restarts } from './restarts.js';
import { serviceWorker } from './service-worker.js';
import { readPublicUrl, serverSettings } from './settings.js';
import { jestTests } from './tests.js';

/**
 * Give Vite the conventions of create-react-app 5; docs/create-react-app.md lists them.
 *
 * The quoted names in the comments are pages of https://create-react-app.dev/docs.
 *
 * @returns {import('vite').Plugin[]} to be listed first in vite.config.js
 */
export default function createReactApp() {
  const app = new App();
  return [
    readProject(app),
    serverSettings(app),
    restarts(app),
    publicIndexHtml(app),
    runtimeErrors(app),
    ...imports(app),
    jestTests(app),
    serviceWorker(app),
    buildOutput(app),
  ];
}

/** What the project and the environment say; complete after the first config hook. */
export class App {
  /** The project's folder. */
  root;
  isDevelopment = false;
  isBuild = false;
  isTest = false;
  /** @type {Record<string, string>} the environment, with the .env files */
  env = {};
  /** @type {Record<string, string>} the part that the page may know */
  pageEnv = {};
  /** @type {object} package.json */
  package = {};

  read(root, command, mode) {
    this.root = root;
    this.isBuild = command === 'build';
    this.isTest = mode === 'test' && !this.isBuild;
    this.isDevelopment = !this.isBuild && !this.isTest;
    this.env = readEnvironment(root, mode);
    this.package = readPackage(root);
    const nodeEnv = this.isBuild
      ? 'production'
      : this.isTest
        ? 'test'
        : 'development';
    const publicUrl = this.isTest
      ? ''
      : readPublicUrl(this.env, this.package.homepage, this.isBuild);
    this.pageEnv = forPage(this.env, nodeEnv, publicUrl);
  }

  /** The page's place, without a slash at its end. */
  get publicUrl() {
    return this.pageEnv.PUBLIC_URL;
  }

  /** "Folder Structure": src/index.js is the JavaScript entry point. */
  get entry() {
    const names = ['js', 'ts', 'tsx', 'jsx'].map((ending) => `index.${ending}`);
    const entry = names.find((name) => this.has('src', name));
    if (entry) return `/src/${entry}`;
    throw problem(
      'src/index.js is missing: the page starts there (or in src/index.jsx, .ts or .tsx).',
    );
  }

  has(...segments) {
    return fs.existsSync(path.join(this.root, ...segments));
  }
}

function readProject(app) {
  return {
    name: 'create-react-app:project',
    enforce: 'pre',
    config(config, { command, mode }) {
      app.read(path.resolve(config.root ?? process.cwd()), command, mode);
      // "You cannot override NODE_ENV manually."
      process.env.NODE_ENV = app.pageEnv.NODE_ENV;
      writeEnvironment(app.env);
      return { envPrefix: 'REACT_APP_' };
    },
  };
}
