import { chmodSync } from 'node:fs';
import { defineConfig } from 'vite';

// One bundle per entry, dependencies left to Node's own resolution. Kernels (.wgsl) and presets
// (.yaml) are text imports, so the bundle needs no file beside it.
export default defineConfig({
  build: {
    target: 'node20',
    outDir: 'dist',
    ssr: true,
    sourcemap: true,
    // Comments stand in the types and in the source maps; in the code they would be a fifth of the package.
    minify: false,
    rolldownOptions: {
      input: { index: 'src/index.ts', node: 'src/node.ts', cli: 'src/cli/main.ts' },
      output: {
        entryFileNames: '[name].js',
        chunkFileNames: 'chunks/[name]-[hash].js',
        comments: { jsdoc: false, legal: true, annotation: true },
      },
    },
  },
  plugins: [
    {
      name: 'executable-command',
      writeBundle: () => chmodSync('dist/cli.js', 0o755),
    },
  ],
});
