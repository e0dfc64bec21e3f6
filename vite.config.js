import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import createReactApp from './vite/create-react-app.js';
import flask from './vite/flask.js';
import release from './vite/release.js';

export default defineConfig({
  plugins: [createReactApp(), react(), flask(), release()],
});
