import { defineConfig } from 'vite';

// `npm run web:record` under Node, from the sources.
export default defineConfig({
  build: {
    target: 'node20',
    outDir: 'web/dist-record',
    ssr: true,
    minify: false,
    rolldownOptions: { input: { record: 'web/record.ts' } },
  },
});
