import react from '@vitejs/plugin-react';
import { apiAddress } from '../lib/project.js';
import createReactApp from './create-react-app/index.js';
import flask from './flask/index.js';
import policy from './policy.js';
import release from './release.js';

/**
 * Make Vite the frontend's half of this starter: create-react-app's conventions, React, the
 * bridge to Flask, and builds that replace one another while they are served.
 *
 * Each part is a plugin of its own, for a project that wants no more than that:
 * react-flask-kit/vite/create-react-app, /flask, /policy and /release.
 *
 * @returns {import('vite').PluginOption[]} to be listed in vite.config.js
 */
export default function reactFlask() {
  // As in create-react-app, a frontend without "proxy" has no API.
  const bridge = apiAddress() && flask();
  return [createReactApp(), react(), bridge, policy(), release()];
}
