import type { ViteUserConfig } from 'vitest/config';

/**
 * How tests run that take minutes and are no part of `npm test`: one file at a time.
 *
 * @param minutes that a single test may take
 */
export const longTests = (
  include: string,
  minutes: number,
  reporters: readonly string[] = [],
): ViteUserConfig => ({
  test: {
    include: [include],
    fileParallelism: false,
    pool: 'forks',
    // What `hypergrad tune` keeps for the developer's own runs is no part of a test.
    env: { HYPERGRAD_TUNING: 'off' },
    testTimeout: minutes * 60_000,
    hookTimeout: 10 * 60_000,
    reporters: ['default', ...reporters, './test/support/summaryReporter.ts'],
  },
});
