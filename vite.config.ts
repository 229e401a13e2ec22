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
    minify: false,
    rolldownOptions: {
      input: { index: 'src/index.ts', node: 'src/node.ts', cli: 'src/cli/main.ts' },
      output: { entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
    },
  },
  plugins: [
    {
      name: 'executable-command',
      writeBundle: () => chmodSync('dist/cli.js', 0o755),
    },
  ],
});
