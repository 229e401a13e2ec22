import { defineConfig } from 'vite';

// The benchmarks import the sources directly, so that they measure what is being worked on.
export default defineConfig({
  build: {
    target: 'node20',
    outDir: 'bench/dist',
    ssr: true,
    minify: false,
    rolldownOptions: {
      input: {
        main: 'bench/main.ts',
        coldStart: 'bench/coldStart.ts',
        results: 'bench/results/main.ts',
      },
      // Side by side: they find bench/peers, and each other, from where they lie.
      output: { entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
    },
  },
});
