import reactFlask from 'react-flask-kit/vite';
import { defineConfig } from 'vite';

export default defineConfig({ plugins: [reactFlask()] });
