import { resolve } from 'node:path';
import type { Alias } from 'vite';

/** What the package's own name means within the repository: the sources that are being worked on, not what was built of them. */
export const ownName: Alias[] = [
  { find: /^hypergrad$/, replacement: resolve(import.meta.dirname, '../src/index.ts') },
  { find: /^hypergrad\/node$/, replacement: resolve(import.meta.dirname, '../src/node.ts') },
];
