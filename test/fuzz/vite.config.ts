import { defineConfig } from 'vite';
import { nodeProgram } from '../../build/nodeProgram.js';

// `npm run test:fuzz`: the sources themselves are fuzzed, not what was built of them.
export default defineConfig(nodeProgram({ main: 'test/fuzz/main.ts' }, 'test/fuzz/dist'));
