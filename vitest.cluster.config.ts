import { defineConfig } from 'vitest/config';

// A sweep on a real SLURM of four nodes, which are killed again and again: minutes. `npm test` has a short version.
export default defineConfig({
  test: {
    include: ['test/cluster/**/*.cluster.ts'],
    fileParallelism: false,
    pool: 'forks',
    env: { HYPERGRAD_TUNING: 'off' },
    testTimeout: 60 * 60_000,
    hookTimeout: 10 * 60_000,
    reporters: ['default', './test/support/faults/countsReporter.ts', './test/support/summaryReporter.ts'],
  },
});
