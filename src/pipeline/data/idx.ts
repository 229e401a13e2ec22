/**
 * The IDX format of MNIST's files: two zero bytes, a type byte, the number of dimensions, each dimension as a
 * big-endian 32-bit integer, then the elements. Only unsigned bytes (type 8) are read, gzipped or not.
 */
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { constants, gunzip, gunzipSync } from 'node:zlib';
import { DataError } from '../../errors.js';
import { readBytes } from './folders.js';
import { imagesInMemory, type RawImages, unreadable } from './rawImages.js';

export interface IdxArray {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

const UNSIGNED_BYTE = 8;
/** A bound on what a gzipped file may unpack to: 20 times MNIST's training images. */
const LARGEST_UNPACKED = 2 ** 30;
/** Enough of a file to unpack its first four bytes from. */
const HEAD_BYTES = 512;

/**
 * Reads an IDX file of unsigned bytes with the given number of dimensions.
 * Throws `DataError`, naming the file, when it cannot be read or its header and length do not agree.
 */
export async function readIdx(path: string, dimensions: number): Promise<IdxArray> {
  const bytes = await readBytes(path);
  return parseIdx(isGzipped(bytes) ? await unpack(bytes, path) : bytes, path, dimensions);
}

const isGzipped = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

async function unpack(bytes: Buffer, path: string): Promise<Buffer> {
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: LARGEST_UNPACKED });
  } catch (error) {
    throw new DataError(
      `${path} is not a whole gzip file (${(error as Error).message}). Fetch the file again.`,
      { cause: error },
    );
  }
}

/** Reads an IDX array out of a file's bytes; the data is a view of them. Throws `DataError` as `readIdx` does. */
export function parseIdx(bytes: Uint8Array, path: string, dimensions: number): IdxArray {
  const headerLength = 4 + 4 * dimensions;
  if (bytes.length < 4 || bytes[0] !== 0 || bytes[1] !== 0) {
    throw new DataError(`${path} is not an IDX file: it does not begin with two zero bytes and a type.`);
  }
  if (bytes[2] !== UNSIGNED_BYTE || bytes[3] !== dimensions) {
    throw new DataError(
      `${path} is an IDX file of type ${bytes[2]} and ${bytes[3]} dimensions, where unsigned bytes (type 8) in ${dimensions} are expected. Check that it is the file its name says.`,
    );
  }
  if (bytes.length < headerLength) {
    throw new DataError(`${path} is cut short: it ends after ${bytes.length} bytes, within its header.`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: dimensions }, (_, axis) => view.getUint32(4 + 4 * axis));
  const expected = headerLength + shape.reduce((product, size) => product * size, 1);
  if (bytes.length !== expected) {
    throw new DataError(
      `${path} holds ${bytes.length} bytes, but its header (${shape.join('×')}) asks for ${expected}. Fetch the file again.`,
    );
  }
  return { shape, data: bytes.subarray(headerLength) };
}

/** Number of dimensions of an IDX file of unsigned bytes, from its magic number; null for any other file. */
export async function idxDimensions(path: string): Promise<number | null> {
  const head = await readHead(path);
  const bytes = isGzipped(head) ? unpackHead(head) : head;
  const isIdx = bytes.length >= 4 && bytes[0] === 0 && bytes[1] === 0 && bytes[2] === UNSIGNED_BYTE;
  return isIdx ? bytes[3]! : null;
}

async function readHead(path: string): Promise<Buffer> {
  try {
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unpackHead(head: Buffer): Buffer {
  try {
    return gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return Buffer.alloc(0);
  }
}

/**
 * Images [count, height, width] of one file with the labels [count] of another, or without any. Throws `DataError`, naming
 * the file.
 */
export async function readIdxPair(imagesPath: string, labelsPath: string | null): Promise<RawImages> {
  const images = await readIdx(imagesPath, 3);
  const labels = labelsPath === null ? null : await readIdx(labelsPath, 1);
  const [count, height, width] = images.shape as [number, number, number];
  if (labels !== null && labels.shape[0] !== count) {
    throw new DataError(
      `${labelsPath} holds ${labels.shape[0]} labels for the ${count} images of ${imagesPath}.`,
    );
  }
  if (count === 0 || height === 0 || width === 0) throw new DataError(`${imagesPath} holds no images.`);
  return imagesInMemory({
    count,
    channels: 1,
    height,
    width,
    pixels: images.data,
    labels: labels?.data ?? null,
  });
}

/** Throws `DataError` where the two parts' images are not of one size. */
export function requireOneSize(folder: string, train: RawImages, test: RawImages): void {
  if (train.height === test.height && train.width === test.width) return;
  throw new DataError(
    `${folder}: training images are ${train.height}×${train.width} pixels, test images ${test.height}×${test.width}. Use files of one dataset.`,
  );
}
