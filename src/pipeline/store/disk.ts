/**
 * The one way by which anything of ours is written. A file appears whole or not at all, also where the power fails: its bytes go
 * beside it, are flushed to the disk and renamed, and then the folder is flushed. The package write-file-atomic is not enough for
 * that: it gives all bytes to one call and does not look how many were taken, so that a disk which fills up on the way leaves a
 * file cut short under its final name; and it does not flush the folder, so that the name may be lost after we went on from it.
 */
import { randomInt } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { StoreError } from '../../errors.js';
import { writingFailure } from './failures.js';
import { type FileSystem, nodeFileSystem, type OpenFile } from './fileSystem.js';

/** Most bytes that are given to the system at once; it takes less than 2³¹. */
const CHUNK = 2 ** 26;

/**
 * What a file of a run's folder is called until it is renamed: its name, which ends as those that are written there do or is that of
 * a lock's owner, and a number. Whatever is called so is deleted when the folder is opened: `train.log.1` must not be.
 */
const unfinished = /(\.(json|jsonl|yaml|html|png|svg|safetensors)|\.owner-[0-9a-f]+-\d+)\.\d{1,10}$/;
const LARGEST_NUMBER = 2 ** 32;

/** Whether a file's name is one that a write into a run's folder which was cut off leaves behind. */
export const isUnfinished = (name: string): boolean => unfinished.test(name);

/** How a file is written. */
export interface WriteOptions {
  /** Whether it is on the disk when the call ends; so it is by default. False for what nobody misses after a power cut. */
  readonly isFlushed?: boolean;
  /**
   * Whether its name is too; so it is where its bytes are. False in a folder that has yet to get the name by which it is read: names
   * keep their order.
   */
  readonly isNameFlushed?: boolean;
}

/** Writes files. Every operation throws `StoreError` with the file, the reason and what to do. */
export interface Disk {
  /** Makes a folder, and those above it, where there is none. */
  makeFolder(path: string): Promise<void>;
  /** Writes a file whole, and its folder where there is none: readers see the old content or the new. */
  writeWhole(path: string, content: Uint8Array | string, options?: WriteOptions): Promise<void>;
  /**
   * Writes bytes at a position of a file; what lies behind it is gone. Where that fails the file is as it was before, or its first
   * `position` bytes are: the same call again makes it whole.
   */
  extend(path: string, position: number, content: Uint8Array | string): Promise<void>;
  /** Removes a file, or a folder with all that is in it, if it is there. */
  remove(path: string): Promise<void>;
}

const bytesOf = (content: Uint8Array | string): Uint8Array =>
  typeof content === 'string' ? new TextEncoder().encode(content) : content;

async function writeAll(file: OpenFile, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const taken = await file.write(bytes.subarray(done, done + CHUNK), position + done);
    if (taken === 0) throw Object.assign(new Error('No byte was taken.'), { code: 'ENOSPC' });
    done += taken;
  }
}

/** Uses a file and closes it; closing may tell that what was written did not arrive. */
async function withFile(file: OpenFile, use: (file: OpenFile) => Promise<void>): Promise<void> {
  try {
    await use(file);
  } catch (error) {
    await file.close().catch(() => undefined);
    throw error;
  }
  await file.close();
}

/** Makes folders so that they are there after a power cut: an entry lies in the folder above. */
async function makeFolders(system: FileSystem, path: string): Promise<void> {
  const first = await system.makeFolders(path);
  if (first === undefined) return;
  const top = dirname(resolve(first));
  for (let at = resolve(path); at !== top && at !== dirname(at); at = dirname(at)) {
    await system.syncFolder(dirname(at));
  }
}

async function replace(
  system: FileSystem,
  path: string,
  bytes: Uint8Array,
  { check, isFlushed, isNameFlushed }: Required<WriteOptions> & { readonly check: () => Promise<void> },
): Promise<void> {
  // A link to a file stays a link.
  const target = await realpath(path).catch(() => path);
  const beside = `${target}.${randomInt(LARGEST_NUMBER)}`;
  try {
    await withFile(await system.open(beside, 'new'), async (file) => {
      await writeAll(file, bytes, 0);
      if (isFlushed) await file.sync();
    });
    await check();
    await system.rename(beside, target);
  } catch (error) {
    await system.remove(beside).catch(() => undefined);
    throw error;
  }
  if (isNameFlushed) await system.syncFolder(dirname(target));
}

async function extendFile(
  system: FileSystem,
  path: string,
  position: number,
  bytes: Uint8Array,
): Promise<void> {
  let isNew = false;
  await withFile(await system.open(path, 'old'), async (file) => {
    const size = await file.size();
    isNew = size === 0;
    try {
      if (size > position) await file.truncate(position);
      await writeAll(file, bytes, position);
      await file.sync();
    } catch (error) {
      await file.truncate(position).catch(() => undefined);
      throw error;
    }
  });
  if (isNew) await system.syncFolder(dirname(path));
}

/**
 * A disk over a file system.
 *
 * @param check asked before anything changes, such as whether a lock is still held; throws `StoreError` where nothing may
 */
export function diskOver(system: FileSystem, check: () => Promise<void> = async () => {}): Disk {
  const attempt = async (
    path: string,
    done: 'written' | 'removed' | 'created',
    work: () => Promise<void>,
  ): Promise<void> => {
    await check();
    try {
      await work();
    } catch (error) {
      throw error instanceof StoreError ? error : writingFailure(path, done, error);
    }
  };
  return {
    makeFolder: (path) => attempt(path, 'created', () => makeFolders(system, path)),
    writeWhole: (path, content, { isFlushed = true, isNameFlushed = isFlushed } = {}) =>
      attempt(path, 'written', async () => {
        await makeFolders(system, dirname(path));
        await replace(system, path, bytesOf(content), { check, isFlushed, isNameFlushed });
      }),
    extend: (path, position, content) =>
      attempt(path, 'written', () => extendFile(system, path, position, bytesOf(content))),
    remove: (path) => attempt(path, 'removed', () => system.remove(path)),
  };
}

/** The disk of whoever needs no lock. */
export const plainDisk: Disk = diskOver(nodeFileSystem);
