import { defineConfig } from 'vite';
import { nodeProgram } from '../build/nodeProgram.js';

// The programs find bench/peers, and each other, from where they lie.
export default defineConfig(
  nodeProgram(
    { main: 'bench/main.ts', coldStart: 'bench/coldStart.ts', results: 'bench/results/main.ts' },
    'bench/dist',
  ),
);
