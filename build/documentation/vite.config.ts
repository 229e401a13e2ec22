import { defineConfig } from 'vite';
import { nodeProgram } from '../nodeProgram.js';

// What builds the documentation site; TypeDoc itself is left to Node's own resolution.
export default defineConfig(nodeProgram({ main: 'build/documentation/main.ts' }, 'build/documentation/dist'));
