import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { caseLimitMs } from './test/support/wait.js';

export default defineConfig({
  resolve: {
    alias: [
      { find: 'evstore/testing', replacement: new URL('./src/testing.ts', import.meta.url).pathname },
      { find: 'evstore', replacement: new URL('./src/index.ts', import.meta.url).pathname },
      // Threads run compiled, as they do when installed: vitest does not reach into them, and jiti takes a second for each.
      {
        find: /^.*\/start-thread\.js$/,
        replacement: new URL('./test/support/start-thread.ts', import.meta.url).pathname,
      },
    ],
  },
  test: {
    include: ['test/**/*.test.ts', 'templates/{projection,saga}/*.test.ts'],
    // SQL is read from files, which vitest does not see as imports.
    forceRerunTriggers: ['**/package.json', '**/vitest.config.*', '**/*.sql'],
    globalSetup: ['test/support/global-setup.ts'],
    testTimeout: caseLimitMs,
    // Hooks start servers, compile programs and install the package.
    hookTimeout: 6 * caseLimitMs,
    pool: 'forks',
    // Most of the time cases wait: for another process, for a lease to run out, for the database.
    maxWorkers: 2 * availableParallelism(),
    // The suite runs in GitHub Actions too: what a case is to find there, it says itself.
    env: { GITHUB_ACTIONS: '', GITHUB_STEP_SUMMARY: '' },
  },
});
