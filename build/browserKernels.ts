import { readFile } from 'node:fs/promises';
import type { Plugin } from 'vite';

/** What parts two tokens by itself, whatever stands beside it. */
const SEPARATOR = /[(){}[\],;]/;
const OPERATOR = /[-+*/%&|^!<>=:?]/;
const WORD = /[\w.]/;

/**
 * Whether two tokens stay two without the blank between them. Two operators may become another one (`a - -b`), and so may an
 * operator and what a definition is replaced with; what ends a definition may run into a word.
 */
function isBlankIdle(before: string, after: string): boolean {
  if (after === '$') return /[(){[\],;]/.test(before);
  if (before === '}') return SEPARATOR.test(after) || OPERATOR.test(after);
  if (SEPARATOR.test(before) || SEPARATOR.test(after)) return true;
  return (OPERATOR.test(before) && WORD.test(after)) || (WORD.test(before) && OPERATOR.test(after));
}

/** A line of WGSL without comment, indentation and blanks between tokens that are two without them. */
function compactLine(line: string): string {
  const code = line.replace(/\/\/.*$/, '').trim();
  // A directive's words are parted by blanks.
  if (code.startsWith('#')) return code;
  return code.replace(/\s+/g, (_, at: number) =>
    isBlankIdle(code[at - 1]!, code.slice(at).trimStart()[0]!) ? '' : ' ',
  );
}

/** The tokens of a kernel's file, line by line, and little else. */
export const compactWgsl = (wgsl: string): string =>
  wgsl.split('\n').map(compactLine).filter(Boolean).join('\n');

/** Leaves out of a bundle what in the kernels (`.wgsl?raw`) is for readers of the source. */
export function browserKernels(): Plugin {
  return {
    name: 'browser-kernels',
    enforce: 'pre',
    load: {
      filter: { id: /\.wgsl\?raw$/ },
      handler: async (id) => {
        const text = await readFile(id.replace(/\?raw$/, ''), 'utf8');
        return `export default ${JSON.stringify(compactWgsl(text))}`;
      },
    },
  };
}
