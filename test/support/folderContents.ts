/** What a run's folder holds, to be compared by bits. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

/** Files that hold measured seconds. */
export const TIMED_FILES = ['timings.json', 'result.json', 'report.html'] as const;

/** SHA-256 of every file by its name below the folder, those left out that hold measured seconds unless they are asked for. */
export function folderContents(folder: string, withTimed = false): Record<string, string> {
  const left: readonly string[] = withTimed ? [] : TIMED_FILES;
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((name) => !left.includes(name))
    .sort();
  const hashOf = (name: string): string =>
    createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex');
  return Object.fromEntries(files.map((name) => [name, hashOf(name)]));
}
