import { defineConfig } from 'vitest/config';

// The package as somebody installs it: minutes, and a registry. `npm test` has what needs neither.
export default defineConfig({
  test: {
    include: ['test/package/**/*.package.ts'],
    fileParallelism: false,
    pool: 'forks',
    testTimeout: 10 * 60_000,
    hookTimeout: 10 * 60_000,
    reporters: ['default', './test/support/summaryReporter.ts'],
  },
});
