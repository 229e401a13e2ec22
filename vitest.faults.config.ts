import { defineConfig } from 'vitest/config';

// What takes minutes: hundreds of kills, every write failing once, a lost device in every stage. `npm test` has short versions.
export default defineConfig({
  test: {
    include: ['test/faults/**/*.faults.ts'],
    fileParallelism: false,
    pool: 'forks',
    env: { HYPERGRAD_TUNING: 'off' },
    testTimeout: 45 * 60_000,
    hookTimeout: 10 * 60_000,
    reporters: ['default', './test/support/faults/countsReporter.ts', './test/support/summaryReporter.ts'],
  },
});
