import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    globals: true,
    include: ['tests/*.test.js'],
    restoreMocks: true,
    unstubEnvs: true,
    // Some start Vite, on a machine that may be busy.
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
