import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Each worker opens a device of its own; two software devices on two cores only slow each other.
    fileParallelism: false,
    pool: 'forks',
    // What `hypergrad tune` keeps for the developer's own runs is no part of a test.
    env: { HYPERGRAD_TUNING: 'off' },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: ['default', './test/support/summaryReporter.ts'],
  },
});
