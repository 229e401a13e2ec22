import { resolve } from 'node:path';
import { defineConfig } from 'vite';
import { ownName } from '../build/ownName.js';

// The examples import the package by its name, as a program of yours would; here that is the sources.
export default defineConfig({
  resolve: { alias: ownName },
  build: {
    target: 'node20',
    outDir: resolve(import.meta.dirname, 'dist'),
    emptyOutDir: true,
    ssr: true,
    minify: false,
    rolldownOptions: {
      // What an example does are side effects, and package.json says that only the page's modules have any.
      treeshake: false,
      input: { main: resolve(import.meta.dirname, 'main.ts') },
      output: { entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
    },
  },
});
