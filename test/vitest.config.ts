import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { hideFromDriver } from '../src/world.ts';

hideFromDriver(process.env); // the workers have what is left

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    include: ['test/**/*.test.ts'],
    exclude: process.env['RECON_LONG'] === undefined ? ['test/long/**'] : [], // `npm run test:long`
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    isolate: false, // no file leaves anything behind in its process, and loading all modules again takes a third of the time
    maxWorkers: availableParallelism() + 1, // who waits for PostgreSQL or a program leaves its core to another
    // One line per file, what a passing test printed stays silent, failures come last: readable in a CI log too.
    reporters: ['default'],
    silent: 'passed-only',
    testTimeout: 120_000,
    hookTimeout: 300_000,
    coverage: {
      provider: 'v8',
      include: ['src/**'],
      reportsDirectory: 'coverage',
      reporter: ['text-summary', 'json-summary'],
      thresholds: { lines: 90 },
    },
  },
});
