import type { UserConfig } from 'vite';

/**
 * How a program of the repository is bundled for Node from the sources, so that it works on what is being worked on; packages are
 * left to Node's own resolution.
 *
 * @param input the program's entries by name; each becomes `NAME.js` in `outDir`
 */
export const nodeProgram = (input: Readonly<Record<string, string>>, outDir: string): UserConfig => ({
  build: {
    target: 'node20',
    outDir,
    ssr: true,
    minify: false,
    rolldownOptions: {
      input: { ...input },
      // Side by side: they find each other from where they lie.
      output: { entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
    },
  },
});
