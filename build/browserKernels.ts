import { readFile } from 'node:fs/promises';
import type { Plugin } from 'vite';

/** What a kernel needs to run: its lines without comments and indentation. */
export const withoutComments = (wgsl: string): string =>
  wgsl
    .split('\n')
    .map((line) => line.replace(/\/\/.*$/, '').trim())
    .filter((line) => line !== '')
    .join('\n');

/** Leaves out of a bundle what in the kernels (`.wgsl?raw`) is for readers of the source. */
export function browserKernels(): Plugin {
  return {
    name: 'browser-kernels',
    enforce: 'pre',
    load: {
      filter: { id: /\.wgsl\?raw$/ },
      handler: async (id) => {
        const text = await readFile(id.replace(/\?raw$/, ''), 'utf8');
        return `export default ${JSON.stringify(withoutComments(text))}`;
      },
    },
  };
}
