/** A run's folder for those who only read: nothing is locked, created or written. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StoreError } from '../../errors.js';
import type { RunFolder } from './runFolder.js';

/** Reads files of a finished run; what is missing is told as that. */
export function openToRead(folder: string): Pick<RunFolder, 'path' | 'readBytes' | 'pathOf'> {
  const pathOf = (name: string): string => join(folder, name);
  return {
    path: folder,
    pathOf,
    async readBytes(name) {
      try {
        return await readFile(pathOf(name));
      } catch (cause) {
        const { code } = cause as NodeJS.ErrnoException;
        const reason =
          code === 'ENOENT' || code === 'ENOTDIR' ? 'does not exist' : `cannot be read (${code})`;
        throw new StoreError(
          `${pathOf(name)} ${reason}: ${folder} is not the folder of a finished run. Give its command again, or name another folder.`,
          { cause },
        );
      }
    },
  };
}
