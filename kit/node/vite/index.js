import react from '@vitejs/plugin-react';
import { apiAddress } from '../lib/project.js';
import createReactApp from './create-react-app/index.js';
import flask from './flask/index.js';
import guard from './guard.js';
import launcher from './launcher.js';
import policy from './policy.js';
import port from './port.js';
import release from './release.js';

/**
 * Make Vite the frontend's half of this starter: create-react-app's conventions, React, the
 * bridge to Flask, and builds that replace one another while they are served.
 *
 * Each part is a plugin of its own, for a project that wants no more than that:
 * react-flask-kit/vite/create-react-app, /flask, /guard, /policy and /release.
 *
 * @param {Parameters<typeof flask>[0]} [options] those of the bridge to Flask
 * @returns {import('vite').PluginOption[]} to be listed in vite.config.js
 */
export default function reactFlask(options) {
  // As in create-react-app, a frontend without "proxy" has no API.
  const bridge = apiAddress() && flask(options);
  const server = [port(), launcher()];
  return [
    server,
    createReactApp(),
    react(),
    bridge,
    guard(),
    policy(),
    release(),
  ];
}
