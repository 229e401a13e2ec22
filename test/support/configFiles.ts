/** Configurations as a user writes them: files in a folder of the test file's own, and values over a preset. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { resolveConfig } from '../../src/pipeline/config/resolve.js';

interface ConfigFiles {
  /** The path of a name in the folder. */
  readonly at: (name: string) => string;
  /** Writes a file; gives its path. */
  readonly file: (name: string, text: string) => string;
}

/** A folder for files, which is there while the tests of a file run. */
export function configFiles(): ConfigFiles {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'hypergrad-config-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const at = (name: string): string => join(folder, name);
  return {
    at,
    file(name, text) {
      writeFileSync(at(name), text);
      return at(name);
    },
  };
}

/** `mnist-small` with values set. */
export const withSets = (...sets: string[]) => resolveConfig({ preset: 'mnist-small', sets });
