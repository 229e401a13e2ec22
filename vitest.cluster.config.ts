import { defineConfig } from 'vitest/config';
import { longTests } from './build/longTests.js';

// A sweep on a real SLURM of four nodes, which are killed again and again: minutes. `npm test` has a short version.
export default defineConfig(
  longTests('test/cluster/**/*.cluster.ts', 60, ['./test/support/faults/countsReporter.ts']),
);
