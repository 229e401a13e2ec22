import { defineConfig } from 'vite';

// The soak imports the sources directly, so that it watches what is being worked on.
export default defineConfig({
  build: {
    target: 'node20',
    outDir: 'test/soak/dist',
    ssr: true,
    minify: false,
    rolldownOptions: { input: { main: 'test/soak/main.ts' }, output: { entryFileNames: '[name].js' } },
  },
});
