import { defineConfig } from 'vitest/config';
import { longTests } from './build/longTests.js';

// The package as somebody installs it: minutes, and a registry. `npm test` has what needs neither.
export default defineConfig(longTests('test/package/**/*.package.ts', 10));
