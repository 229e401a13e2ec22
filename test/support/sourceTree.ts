/** Files of the repository as texts. */
import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';

/** Source files by their paths from the repository's root, with forward slashes. */
export type SourceTree = Readonly<Record<string, string>>;

/** All files below some folders of the repository, but for what tests and builds make there. */
export function sourceTree(...folders: readonly string[]): SourceTree {
  const tree: Record<string, string> = {};
  const walk = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = posix.join(folder, entry.name);
      if (/^(\.|dist|node_modules$)/.test(entry.name)) continue;
      if (entry.isDirectory()) walk(path);
      else tree[path] = readFileSync(path, 'utf8');
    }
  };
  for (const folder of folders) walk(folder);
  return tree;
}

export const isTypeScript = (path: string): boolean => /\.tsx?$/.test(path);

/** Names of the environment's variables that the TypeScript of a tree reads, sorted. */
export function environmentVariables(tree: SourceTree): string[] {
  const texts = Object.keys(tree)
    .filter(isTypeScript)
    .map((path) => tree[path]!);
  return [...new Set(texts.flatMap((text) => text.match(/\bHYPERGRAD_[A-Z]+(_[A-Z]+)*\b/g) ?? []))].sort();
}
