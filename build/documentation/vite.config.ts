import { defineConfig } from 'vite';

// What builds the documentation site, bundled for Node; TypeDoc itself is left to Node's own resolution.
export default defineConfig({
  build: {
    target: 'node20',
    outDir: 'build/documentation/dist',
    ssr: true,
    minify: false,
    rolldownOptions: { input: { main: 'build/documentation/main.ts' } },
  },
});
