/**
 * The IDX format of MNIST's files: two zero bytes, a type byte, the number of dimensions, each dimension as a
 * big-endian 32-bit integer, then the elements. Only unsigned bytes (type 8) are read, gzipped or not.
 */
import { promisify } from 'node:util';
import { constants, gunzip, gunzipSync } from 'node:zlib';
import { DataError } from '../../errors.js';
import { fileLimits, openRegular } from '../store/boundedFile.js';
import { sizeText } from '../store/bytes.js';
import { readBytes } from './folders.js';
import { imagesInMemory, type RawImages, unreadable } from './rawImages.js';

export interface IdxArray {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

const UNSIGNED_BYTE = 8;
/** Enough of a file to unpack its header from, unless gzip's own header holds a long comment. */
const HEAD_BYTES = 512;
/** Beyond so many bytes there is no header in front of an IDX array that a program has written. */
const LONGEST_HEAD = 2 ** 17;
/** Bytes that each byte of gzip can unpack to. */
const LARGEST_RATIO = 1032;

/**
 * Reads an IDX file of unsigned bytes with the given number of dimensions.
 * Throws `DataError`, naming the file, when it cannot be read or its header and length do not agree.
 */
export async function readIdx(path: string, dimensions: number): Promise<IdxArray> {
  const bytes = await readBytes(path);
  return isGzipped(bytes) ? await readGzipped(bytes, path, dimensions) : parseIdx(bytes, path, dimensions);
}

const isGzipped = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/** The header is unpacked first, and then no more than it promises: a small file could unpack to a whole memory. */
async function readGzipped(packed: Uint8Array, path: string, dimensions: number): Promise<IdxArray> {
  const damaged = (reason: string, cause?: unknown): DataError =>
    new DataError(`${path} is not a whole gzip file (${reason}). Fetch the file again.`, { cause });
  const headerLength = 4 + 4 * dimensions;
  let head = unpackHead(packed.subarray(0, HEAD_BYTES));
  for (let taken = HEAD_BYTES; head.length < headerLength && taken < packed.length; ) {
    taken *= 2;
    if (taken > LONGEST_HEAD) throw damaged('no array begins where one should');
    head = unpackHead(packed.subarray(0, taken));
  }
  // Of a file that ends within the header, no more than that is unpacked either.
  const length = head.length < headerLength ? headerLength : parseHeader(head, path, dimensions).length;
  if (length > fileLimits.data || length > LARGEST_RATIO * packed.length) {
    throw damaged(`its header asks for ${sizeText(length)}, and it holds ${sizeText(packed.length)} packed`);
  }
  try {
    // One byte more than the header asks for tells that there are more.
    const bytes = await promisify(gunzip)(packed, { maxOutputLength: length + 1 });
    return parseIdx(bytes, path, dimensions);
  } catch (error) {
    if (error instanceof DataError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw damaged(
      code === 'ERR_BUFFER_TOO_LARGE' ? 'it unpacks to more than its header asks for' : message,
      error,
    );
  }
}

/** Extents and length in bytes of a whole file, as its beginning says. */
function parseHeader(
  bytes: Uint8Array,
  path: string,
  dimensions: number,
): { readonly shape: readonly number[]; readonly length: number } {
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
  return { shape, length: headerLength + shape.reduce((product, size) => product * size, 1) };
}

/** Reads an IDX array out of a file's bytes; the data is a view of them. Throws `DataError` as `readIdx` does. */
export function parseIdx(bytes: Uint8Array, path: string, dimensions: number): IdxArray {
  const { shape, length } = parseHeader(bytes, path, dimensions);
  if (bytes.length !== length) {
    throw new DataError(
      `${path} holds ${bytes.length} bytes, but its header (${shape.join('×')}) asks for ${length}. Fetch the file again.`,
    );
  }
  return { shape, data: bytes.subarray(4 + 4 * dimensions) };
}

/** Number of dimensions of an IDX file of unsigned bytes, from its magic number; null for any other file. */
export async function idxDimensions(path: string): Promise<number | null> {
  const head = await readHead(path);
  const bytes = isGzipped(head) ? unpackHead(head) : head;
  const isIdx = bytes.length >= 4 && bytes[0] === 0 && bytes[1] === 0 && bytes[2] === UNSIGNED_BYTE;
  return isIdx ? bytes[3]! : null;
}

async function readHead(path: string): Promise<Uint8Array> {
  try {
    const { file } = await openRegular(path);
    try {
      const { buffer, bytesRead } = await file.read(new Uint8Array(HEAD_BYTES), 0, HEAD_BYTES, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** What the beginning of a gzipped file unpacks to; nothing where it is none, or unpacks to far more than a header. */
function unpackHead(head: Uint8Array): Uint8Array {
  try {
    return gunzipSync(head, {
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: HEAD_BYTES * LARGEST_RATIO,
    });
  } catch {
    return new Uint8Array();
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
