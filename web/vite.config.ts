import { resolve } from 'node:path';
import { defineConfig } from 'vite';
import { browserKernels } from '../build/browserKernels.js';
import { digits } from '../build/digits.js';

// A static folder that works wherever it lies: every address in it is relative, and none leads to another host.
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  plugins: [browserKernels(), digits()],
  worker: { format: 'es', plugins: () => [browserKernels()] },
  build: {
    target: 'es2022',
    outDir: resolve(import.meta.dirname, 'dist'),
    emptyOutDir: true,
    // A picture in the page's text would be loaded before it is wanted.
    assetsInlineLimit: 0,
  },
});
