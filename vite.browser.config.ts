import { defineConfig } from 'vite';
import { browserKernels } from './build/browserKernels.js';

// The engine for browsers, from the same sources. For bundlers a module each (`dist/browser/index.js`), so that what a page does
// not use falls away; for pages without one a single small file (`dist/browser/hypergrad.min.js`).
export default defineConfig({
  plugins: [browserKernels()],
  build: {
    target: 'es2022',
    outDir: 'dist/browser',
    minify: false,
    lib: { entry: 'src/index.ts' },
    rolldownOptions: {
      output: [
        {
          format: 'es',
          preserveModules: true,
          preserveModulesRoot: 'src',
          // npm packs no folder of that name.
          entryFileNames: ({ name }) => `${name.replace('node_modules', 'vendor')}.js`,
          chunkFileNames: '[name].js',
        },
        { format: 'es', entryFileNames: 'hypergrad.min.js', codeSplitting: false, minify: true },
      ],
    },
  },
});
