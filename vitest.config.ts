import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: {
    alias: {
      'evstore/testing': new URL('./src/testing.ts', import.meta.url).pathname,
      evstore: new URL('./src/index.ts', import.meta.url).pathname,
    },
  },
  test: {
    include: ['test/**/*.test.ts', 'templates/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    testTimeout: 240_000,
    hookTimeout: 240_000,
    pool: 'forks',
    // Most of the time cases wait: for another process, for a lease to run out, for the database.
    maxWorkers: 2 * availableParallelism(),
    // The suite runs in GitHub Actions too: what a case is to find there, it says itself.
    env: { GITHUB_ACTIONS: '', GITHUB_STEP_SUMMARY: '' },
  },
});
