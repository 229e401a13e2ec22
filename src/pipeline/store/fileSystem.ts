/** What is asked of the operating system where something is written: as little as that takes, so that any of it can be made to fail. */
import { constants } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';

/** A file that is open for writing. */
export interface OpenFile {
  /** Bytes that the file holds. */
  size(): Promise<number>;
  /** Writes at a position, and tells how many bytes were taken: a disk may take fewer than it is given. */
  write(bytes: Uint8Array, position: number): Promise<number>;
  /** Makes the file so many bytes long. */
  truncate(length: number): Promise<void>;
  /** Waits until all that was written is on the disk. */
  sync(): Promise<void>;
  /** Gives the file back; may tell that what was written did not arrive. */
  close(): Promise<void>;
}

/** The calls by which files come to be, change and go. Each rejects with an error of the system's, which has a `code`. */
export interface FileSystem {
  /** Makes a folder and those above it; the first that was not there, or undefined where all were. */
  makeFolders(path: string): Promise<string | undefined>;
  /** Makes one folder, which must not be there. */
  makeFolder(path: string): Promise<void>;
  /** Opens a file: a `new` one must not be there, an `old` one is made where there is none. */
  open(path: string, which: 'new' | 'old'): Promise<OpenFile>;
  /** Gives a file another name in the same file system, in the place of what is called so. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file, or a folder with all that is in it, if it is there. */
  remove(path: string): Promise<void>;
  /** Waits until a folder's entries are on the disk. */
  syncFolder(path: string): Promise<void>;
}

/** What systems answer that cannot flush a folder; they keep its entries in order by themselves, or not at all. */
const UNFLUSHED = new Set(['EINVAL', 'ENOTSUP', 'EISDIR', 'EPERM', 'EACCES', 'EBADF']);

async function openFile(path: string, which: 'new' | 'old'): Promise<OpenFile> {
  // Not `a`, by which Linux ignores positions.
  const file = await open(path, which === 'new' ? 'wx' : constants.O_WRONLY | constants.O_CREAT);
  return {
    size: async () => (await file.stat()).size,
    write: async (bytes, position) => (await file.write(bytes, 0, bytes.length, position)).bytesWritten,
    truncate: (length) => file.truncate(length),
    sync: () => file.sync(),
    close: () => file.close(),
  };
}

/** Node's own. */
export const nodeFileSystem: FileSystem = {
  makeFolders: (path) => mkdir(path, { recursive: true }),
  makeFolder: (path) => mkdir(path),
  open: openFile,
  rename,
  remove: (path) => rm(path, { recursive: true, force: true }),
  async syncFolder(path) {
    try {
      const folder = await open(path, 'r');
      try {
        await folder.sync();
      } finally {
        await folder.close();
      }
    } catch (error) {
      if (!UNFLUSHED.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  },
};
