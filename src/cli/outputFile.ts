/** Files that somebody names on the command line to have something written there. */
import { appendFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ConfigError, StoreError } from '../errors.js';
import { plainDisk } from '../pipeline/store/disk.js';
import { reasonOf, writingFailure } from '../pipeline/store/failures.js';

/** What a wrong name leads to; all else is the disk's fault. */
const NAMING_FAULTS = new Set([
  'ENOENT',
  'ENOTDIR',
  'EISDIR',
  'EEXIST',
  'EACCES',
  'EPERM',
  'EROFS',
  'ENAMETOOLONG',
]);

/**
 * Writes a file whole, or to a pipe or a device what there is to say.
 *
 * @param option how the command line calls it, such as `--out`
 * @throws ConfigError where no file of that name can be; StoreError where the disk does not take it.
 */
export async function writeOutput(option: string, path: string, content: string | Uint8Array): Promise<void> {
  try {
    const facts = await stat(path).catch(() => undefined);
    if (facts !== undefined && !facts.isFile() && !facts.isDirectory()) await appendFile(path, content);
    else {
      // A folder that is not there is a slip of the pen more often than a wish.
      await stat(dirname(path));
      await plainDisk.writeWhole(path, content);
    }
  } catch (error) {
    const cause = error instanceof StoreError ? error.cause : error;
    const { code = '' } = cause as NodeJS.ErrnoException;
    if (!NAMING_FAULTS.has(code)) throw writingFailure(path, 'written', cause);
    const reason = code === 'ENOENT' ? 'its folder does not exist' : reasonOf(cause);
    throw new ConfigError(
      `${option} ${JSON.stringify(path)} cannot be written: ${reason}. Name a file in a folder that exists and is yours to write.`,
      { cause },
    );
  }
}
