import { defineConfig } from 'vite';

// The sources themselves are fuzzed, not what was built of them.
export default defineConfig({
  build: {
    target: 'node20',
    outDir: 'test/fuzz/dist',
    ssr: true,
    minify: false,
    rolldownOptions: {
      input: { main: 'test/fuzz/main.ts' },
      output: { entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
    },
  },
});
