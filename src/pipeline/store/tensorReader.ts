/** A safetensors file read by position: the header once, then rows of a tensor as they are asked for. */
import type { FileHandle } from 'node:fs/promises';
import { DataError, StoreError } from '../../errors.js';
import { openRegular, readingFault } from './boundedFile.js';
import { floatBytes } from './floats.js';
import { decodeHeader, headerBytes, LENGTH_BYTES, type TensorPlace } from './safetensors.js';

/** Knows where the tensors of a file lie. Holds no file open: each read opens it for itself. */
export class TensorReader {
  /** The texts under `__metadata__`. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly #path: string;
  readonly #places: ReadonlyMap<string, TensorPlace>;

  private constructor(path: string, { places, metadata }: ReturnType<typeof decodeHeader>) {
    this.metadata = metadata;
    this.#path = path;
    this.#places = places;
  }

  /** Throws `StoreError` where the file cannot be read, and `DataError` as `decodeSafetensors` does. */
  static async open(path: string): Promise<TensorReader> {
    return await withFile(path, async (file, size) => {
      const prefix = await readAt(file, 0, Math.min(size, LENGTH_BYTES), path);
      const header = await readAt(file, 0, headerBytes(prefix, path, size), path);
      return new TensorReader(path, decodeHeader(header, path, size));
    });
  }

  /** Extents of a tensor; undefined where the file has none of that name. */
  shapeOf(name: string): readonly number[] | undefined {
    return this.#places.get(name)?.shape;
  }

  /**
   * Rows of an f32 tensor: `count` of its outermost extent from `first` on.
   *
   * @throws StoreError where the file cannot be read any more.
   * @throws DataError where there are no such rows, or the file is shorter than it was.
   */
  async readRows(name: string, first: number, count: number): Promise<Float32Array> {
    const place = this.#places.get(name);
    const rows = place?.shape[0] ?? 0;
    if (place?.dtype !== 'F32' || first < 0 || count < 1 || first + count > rows) {
      throw new DataError(
        `${this.#path}: rows ${first} to ${first + count - 1} of an F32 tensor ${name} are asked for, but it has ${rows}.`,
      );
    }
    const rowBytes = (place.end - place.start) / rows;
    const bytes = await withFile(this.#path, (file) =>
      readAt(file, place.start + first * rowBytes, count * rowBytes, this.#path),
    );
    return new Float32Array(bytes.buffer, 0, bytes.length / floatBytes.F32);
  }
}

async function withFile<Result>(
  path: string,
  use: (file: FileHandle, size: number) => Promise<Result>,
): Promise<Result> {
  let opened: Awaited<ReturnType<typeof openRegular>> | undefined;
  try {
    opened = await openRegular(path);
    return await use(opened.file, opened.size);
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw new StoreError(`${path} ${readingFault(cause)}. Run the stage that makes it again.`, { cause });
  } finally {
    await opened?.file.close();
  }
}

/** Exactly so many bytes, in a buffer of their own. */
async function readAt(file: FileHandle, position: number, length: number, path: string): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, position + filled);
    if (bytesRead === 0) throw new DataError(`${path} is cut short: it ends at byte ${position + filled}.`);
    filled += bytesRead;
  }
  return bytes;
}
