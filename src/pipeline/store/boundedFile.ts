/**
 * Files from anybody, read whole: only regular ones, and only up to a size that is checked before any memory is taken. A
 * folder of strangers may hold pipes that never end, devices, and files of any size.
 */
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { MEBIBYTE, sizeText } from './bytes.js';

/** The most that is read of a file, by what it holds, in bytes. */
export const fileLimits = {
  /** Tensors, tables and images of a whole dataset. */
  data: 2048 * MEBIBYTE,
  /** One picture. */
  picture: 64 * MEBIBYTE,
  /** Names and labels, a line each. */
  lines: 32 * MEBIBYTE,
  /** What a program wrote about its results, in JSON. */
  record: 16 * MEBIBYTE,
  /** What a person writes. */
  configuration: 64 * 1024,
} as const;

/** Bytes that one call of the operating system reads at most. */
const CHUNK = 2 ** 30;
/** What is not a file could make opening wait for ever. Windows has no such flag, and no such files. */
const WITHOUT_WAITING = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** Why a file is not read; the message goes on where the file's path ends: "holds …". */
export class UnfitFile extends Error {}

/** Why reading failed, in words that go on where the file's path ends: "does not exist". */
export function readingFault(error: unknown): string {
  if (error instanceof UnfitFile) return error.message;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'does not exist';
  if (code === 'EISDIR') return 'is a folder, not a file';
  if (code === 'ELOOP') return 'is a link that leads nowhere';
  return `cannot be read (${code ?? message})`;
}

const tooLarge = (size: number, limit: number): UnfitFile =>
  new UnfitFile(`holds ${sizeText(size)}, where at most ${sizeText(limit)} are read`);

/**
 * Opens a regular file to read of it, at once or never.
 *
 * @throws an error for `readingFault` where it cannot be opened or is no regular file.
 */
export async function openRegular(
  path: string,
): Promise<{ readonly file: FileHandle; readonly size: number }> {
  const file = await open(path, WITHOUT_WAITING);
  try {
    const facts = await file.stat();
    if (facts.isDirectory()) throw new UnfitFile('is a folder, not a file');
    if (!facts.isFile()) throw new UnfitFile('is a pipe or a device, not a regular file');
    return { file, size: facts.size };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/**
 * A regular file's bytes.
 *
 * @param limit bytes that it may hold; nothing is read of a larger one
 * @throws an error for `readingFault`.
 */
export async function readBounded(path: string, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const { file, size } = await openRegular(path);
  try {
    if (size > limit) throw tooLarge(size, limit);
    const bytes = new Uint8Array(size);
    for (let done = 0; done < size; ) {
      const { bytesRead } = await file.read(bytes, done, Math.min(CHUNK, size - done), done);
      if (bytesRead === 0) throw new UnfitFile(`became shorter while it was read: ${done} bytes of ${size}`);
      done += bytesRead;
    }
    return bytes;
  } finally {
    await file.close();
  }
}

/**
 * The text of a file that a person wrote, in UTF-8; a pipe is read as well, up to the limit.
 *
 * @throws an error for `readingFault`.
 */
export function readTextSync(path: string, limit: number): string {
  const descriptor = openSync(path, 'r');
  try {
    // One byte more than is allowed tells what is too large, whatever the file says of its size.
    const bytes = new Uint8Array(limit + 1);
    let length = 0;
    for (;;) {
      const got = readSync(descriptor, bytes, length, bytes.length - length, null);
      if (got === 0) return new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length));
      length += got;
      if (length > limit) throw new UnfitFile(`holds more than ${sizeText(limit)}, the most that is read`);
    }
  } catch (error) {
    if (error instanceof TypeError) throw new UnfitFile('is no text in UTF-8');
    throw error;
  } finally {
    closeSync(descriptor);
  }
}
