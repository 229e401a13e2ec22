/**
 * The IDX format of MNIST's files: two zero bytes, a type byte, the number of dimensions, each dimension as a
 * big-endian 32-bit integer, then the elements. Only unsigned bytes (type 8) are read, gzipped or not.
 */
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { DataError } from '../../errors.js';
import { unreadable } from './rawImages.js';

export interface IdxArray {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

const UNSIGNED_BYTE = 8;
/** A bound on what a gzipped file may unpack to: 20 times MNIST's training images. */
const LARGEST_UNPACKED = 2 ** 30;

/**
 * Reads an IDX file of unsigned bytes with the given number of dimensions.
 * Throws `DataError`, naming the file, when it cannot be read or its header and length do not agree.
 */
export async function readIdx(path: string, dimensions: number): Promise<IdxArray> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw unreadable(path, error);
  }
  const gzipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return parseIdx(gzipped ? await unpack(bytes, path) : bytes, path, dimensions);
}

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
