/** Lines of a test's own source, so that a test can say which of them a message must name. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

/** `file.test.ts:LINE:` of the only line that ends with the comment `// NAME`. */
export function markedLines(path: string): (name: string) => string {
  const lines = readFileSync(path, 'utf8').split('\n');
  return (name) => {
    const found = lines.flatMap((line, k) => (line.endsWith(`// ${name}`) ? [k + 1] : []));
    if (found.length !== 1) throw new Error(`${found.length} lines of ${path} are marked '${name}'`);
    return `${basename(path)}:${found[0]}:`;
  };
}
