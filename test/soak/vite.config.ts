import { defineConfig } from 'vite';
import { nodeProgram } from '../../build/nodeProgram.js';

// `npm run soak`.
export default defineConfig(nodeProgram({ main: 'test/soak/main.ts' }, 'test/soak/dist'));
