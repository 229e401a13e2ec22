import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Each worker opens a device of its own. Compiling pipelines and evaluating in float64 take one core each: two files at a
    // time fill two cores, and more software devices would only slow each other.
    maxWorkers: 2,
    pool: 'forks',
    // What `hypergrad tune` keeps for the developer's own runs is no part of a test.
    env: { HYPERGRAD_TUNING: 'off' },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: ['default', './test/support/summaryReporter.ts'],
  },
});
