/** A run's folder for those who only read: nothing is locked, created or written. */
import { join } from 'node:path';
import { StoreError } from '../../errors.js';
import { fileLimits, readBounded, readingFault } from './boundedFile.js';
import { meantRun } from './meantRun.js';
import type { RunFolder } from './runFolder.js';

/** A run's folder, of which files are read up to a size. */
export interface FolderToRead extends Pick<RunFolder, 'path' | 'pathOf'> {
  /** A regular file's bytes, at most `limit` of them. Throws `StoreError`, naming the file. */
  readBytes(name: string, limit?: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** Reads files of a finished run; what is missing is told as that. */
export function openToRead(folder: string): FolderToRead {
  const pathOf = (name: string): string => join(folder, name);
  return {
    path: folder,
    pathOf,
    async readBytes(name, limit = fileLimits.data) {
      try {
        return await readBounded(pathOf(name), limit);
      } catch (cause) {
        throw new StoreError(
          `${pathOf(name)} ${readingFault(cause)}: ${folder} is not the folder of a finished run.${meantRun(folder)} Give its command again, or name another folder.`,
          { cause },
        );
      }
    },
  };
}
