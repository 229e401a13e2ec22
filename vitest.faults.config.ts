import { defineConfig } from 'vitest/config';
import { longTests } from './build/longTests.js';

// What takes minutes: hundreds of kills, every write failing once, a lost device in every stage. `npm test` has short versions.
export default defineConfig(
  longTests('test/faults/**/*.faults.ts', 45, ['./test/support/faults/countsReporter.ts']),
);
