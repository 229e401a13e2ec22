import { defineConfig } from 'vite';
import { nodeProgram } from '../build/nodeProgram.js';

// `npm run web:record`.
export default defineConfig(nodeProgram({ record: 'web/record.ts' }, 'web/dist-record'));
