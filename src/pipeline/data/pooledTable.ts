/**
 * The images that a run has drawn, average-pooled: whole-number sums, so that nothing is rounded before they are
 * standardised. They lie in memory as the smallest whole numbers that hold them, or in a file that is read by position.
 */
import { closeSync, ftruncateSync, openSync, readSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DataError } from '../../errors.js';
import { writableCacheFolder } from '../../gpu/node/cacheFolder.js';
import { sizeText } from '../store/bytes.js';
import type { RawImages } from './rawImages.js';

/** Sums of bytes. */
export type Sums = Uint8Array | Uint16Array | Uint32Array;

/** Rows of sums [count, elements] by number. */
export interface PooledTable {
  readonly count: number;
  /** Sums an image: channels × pooled height × pooled width. */
  readonly elements: number;
  /** The sums of the images with these numbers, [rows, elements]. */
  read(rows: ArrayLike<number>): Sums;
  /** Gives back what it holds; nothing may be read after. */
  close(): void;
}

/** Bytes of files' pixels that are decoded and pooled at a time. */
const CHUNK_BYTES = 2 ** 23;

/** The largest sum of a pool×pool block of bytes. */
export const largestSum = (pool: number): number => 255 * pool * pool;

function emptySums(length: number, pool: number): Sums {
  const largest = largestSum(pool);
  if (largest < 2 ** 8) return new Uint8Array(length);
  return largest < 2 ** 16 ? new Uint16Array(length) : new Uint32Array(length);
}

/** Bytes that each sum takes. */
export const bytesPerSum = (pool: number): number => emptySums(0, pool).BYTES_PER_ELEMENT;

/** Bytes that a table of so many images takes. */
export function tableBytes(images: RawImages, count: number, pool: number): number {
  return count * pooledElements(images, pool) * bytesPerSum(pool);
}

const pooledElements = ({ channels, height, width }: RawImages, pool: number): number =>
  (channels * height * width) / (pool * pool);

/** Pools images [count, channels, height, width]; pool divides height and width. */
function poolSums(pixels: Uint8Array, { height, width }: RawImages, pool: number): Sums {
  const sums = emptySums(pixels.length / (pool * pool), pool);
  if (pool === 1) {
    sums.set(pixels);
    return sums;
  }
  const pooledWidth = width / pool;
  // pool divides the height, so rows of all channels and images pool as one tall image.
  const rows = (pixels.length / (height * width)) * height;
  for (let row = 0; row < rows; row += 1) {
    const from = row * width;
    const to = Math.floor(row / pool) * pooledWidth;
    for (let column = 0; column < width; column += 1) {
      sums[to + Math.floor(column / pool)]! += pixels[from + column]!;
    }
  }
  return sums;
}

/** Where sums are put, and read from again. */
interface Place {
  write(sums: Sums, row: number): void;
  read(rows: ArrayLike<number>): Sums;
  close(): void;
}

function inMemory(count: number, elements: number, pool: number): Place {
  let all: Sums;
  try {
    all = emptySums(count * elements, pool);
  } catch (error) {
    const bytes = count * elements * bytesPerSum(pool);
    throw new DataError(
      `The images need ${sizeText(bytes)}, and so much memory cannot be had. Lower data.memory, so that they lie in a file.`,
      { cause: error },
    );
  }
  return {
    write: (sums, row) => all.set(sums, row * elements),
    read(rows) {
      const result = emptySums(rows.length * elements, pool);
      for (let k = 0; k < rows.length; k += 1) {
        result.set(all.subarray(rows[k]! * elements, (rows[k]! + 1) * elements), k * elements);
      }
      return result;
    },
    close() {},
  };
}

/** A file without a name: it is gone when it is closed, however the process ends. */
async function inFile(count: number, elements: number, pool: number): Promise<Place> {
  const path = join(await writableCacheFolder(), `images-${process.pid}-${performance.now()}`);
  const rowBytes = elements * bytesPerSum(pool);
  const failed = (error: unknown): DataError =>
    new DataError(
      `The images need ${sizeText(count * rowBytes)} beside ${path}, and it cannot be used (${(error as NodeJS.ErrnoException).code ?? (error as Error).message}). Make room, set HYPERGRAD_CACHE to another folder, or raise data.memory.`,
      { cause: error },
    );
  let isOpen = true;
  const attempt = <Result>(work: () => Result): Result => {
    try {
      if (!isOpen) throw new Error('it is closed');
      return work();
    } catch (error) {
      throw failed(error);
    }
  };
  const descriptor = attempt(() => {
    const opened = openSync(path, 'wx+', 0o600);
    try {
      unlinkSync(path);
      ftruncateSync(opened, count * rowBytes);
    } catch (error) {
      closeSync(opened);
      rmSync(path, { force: true });
      throw error;
    }
    return opened;
  });
  return {
    write(sums, row) {
      const bytes = new Uint8Array(sums.buffer, sums.byteOffset, sums.byteLength);
      attempt(() => {
        for (let done = 0; done < bytes.length; ) {
          done += writeSync(descriptor, bytes, done, bytes.length - done, row * rowBytes + done);
        }
      });
    },
    read(rows) {
      const result = emptySums(rows.length * elements, pool);
      const bytes = new Uint8Array(result.buffer);
      attempt(() => {
        for (let k = 0; k < rows.length; ) {
          // Rows that follow one another are read at once.
          let end = k + 1;
          while (end < rows.length && rows[end] === rows[end - 1]! + 1) end += 1;
          const length = (end - k) * rowBytes;
          for (let done = 0; done < length; ) {
            const got = readSync(
              descriptor,
              bytes,
              k * rowBytes + done,
              length - done,
              rows[k]! * rowBytes + done,
            );
            if (got === 0) throw new Error('it ends too early');
            done += got;
          }
          k = end;
        }
      });
      return result;
    },
    close() {
      if (!isOpen) return;
      isOpen = false;
      closeSync(descriptor);
    },
  };
}

/**
 * Reads and pools the images with the numbers in `order`; row k of the table is image order[k]. Only these are decoded, a
 * few at a time. Throws `DataError`.
 */
export async function poolImages(
  images: RawImages,
  order: Int32Array,
  { pool, inFile: wantsFile }: { readonly pool: number; readonly inFile: boolean },
): Promise<PooledTable> {
  const count = order.length;
  const elements = pooledElements(images, pool);
  const place = wantsFile ? await inFile(count, elements, pool) : inMemory(count, elements, pool);
  const chunk = Math.max(1, Math.floor(CHUNK_BYTES / (elements * pool * pool)));
  try {
    for (let row = 0; row < count; row += chunk) {
      place.write(poolSums(await images.read(order.subarray(row, row + chunk)), images, pool), row);
    }
  } catch (error) {
    place.close();
    throw error;
  }
  return { count, elements, read: place.read, close: place.close };
}

/** The table's sums in order, a bounded number of rows at a time. */
export function* chunksOf(table: PooledTable): Generator<Sums> {
  const chunk = Math.max(1, Math.floor(CHUNK_BYTES / table.elements));
  for (let row = 0; row < table.count; row += chunk) {
    yield table.read(Int32Array.from({ length: Math.min(chunk, table.count - row) }, (_, k) => row + k));
  }
}
