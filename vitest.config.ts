import { defineConfig } from 'vitest/config';
import { ownName } from './build/ownName.js';
import { kinds, testFilesOf } from './test/support/kinds.js';

export default defineConfig(({ mode }) => {
  const kind = kinds.find((known) => known === mode);
  return {
    // The pages' programs import the package by its name.
    resolve: { alias: ownName },
    test: {
      // `--mode unit` and the like run one kind alone.
      include: kind === undefined ? ['test/**/*.test.ts'] : testFilesOf(kind),
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
  };
});
