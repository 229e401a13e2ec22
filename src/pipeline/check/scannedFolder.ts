/** A run's folder as a check sees it: nothing is locked, written or kept open. */
import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { StoreError } from '../../errors.js';
import { openRegular, readBounded, readingFault } from '../store/boundedFile.js';
import { meantRun } from '../store/meantRun.js';
import { decodeHeader, headerBytes, LENGTH_BYTES, type TensorPlace } from '../store/safetensors.js';

/** Bytes that are in memory at a time: whole numbers of elements. */
const CHUNK = 2 ** 24;

/** What a tensor file holds, looked through from end to end. */
export interface ScannedTensors {
  readonly places: ReadonlyMap<string, TensorPlace>;
  readonly metadata: Readonly<Record<string, string>>;
  /** The first tensor with an element that is not finite. */
  readonly notFinite: string | null;
}

/** A folder with the size of each of its files. */
export interface ScannedFolder {
  readonly path: string;
  /** Bytes of every file by its name in the folder, with forward slashes. */
  readonly sizes: ReadonlyMap<string, number>;
}

/** @throws StoreError where there is no such folder, or it cannot be read. */
export async function scanFolder(path: string): Promise<ScannedFolder> {
  try {
    const entries = await readdir(path, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => relative(path, join(entry.parentPath, entry.name)).split(sep).join('/'))
      .sort();
    const sizes = await Promise.all(
      files.map(
        async (name) => [name, (await stat(join(path, name)).catch(() => ({ size: 0 }))).size] as const,
      ),
    );
    return { path, sizes: new Map(sizes) };
  } catch (cause) {
    throw new StoreError(
      `${path} ${readingFault(cause)}.${meantRun(path)} Name the folder of a run, such as runs/mnist-small.`,
      {
        cause,
      },
    );
  }
}

/** Runs `use` on the chunks of a file from `start` to `end`. Rejects with an error for `readingFault`. */
async function readChunks(
  path: string,
  [start, end]: readonly [number, number],
  use: (bytes: Uint8Array) => void,
): Promise<void> {
  const { file } = await openRegular(path);
  try {
    const buffer = new Uint8Array(Math.min(CHUNK, Math.max(1, end - start)));
    for (let at = start; at < end; ) {
      let filled = 0;
      const wanted = Math.min(buffer.length, end - at);
      while (filled < wanted) {
        const { bytesRead } = await file.read(buffer, filled, wanted - filled, at + filled);
        if (bytesRead === 0) throw new Error('it ends too early');
        filled += bytesRead;
      }
      use(buffer.subarray(0, wanted));
      at += wanted;
    }
  } finally {
    await file.close();
  }
}

/** SHA-256 of a file, in hex. Rejects with an error for `readingFault`. */
export async function hashFile({ path, sizes }: ScannedFolder, name: string): Promise<string> {
  const hash = createHash('sha256');
  await readChunks(join(path, name), [0, sizes.get(name) ?? 0], (bytes) => hash.update(bytes));
  return hash.digest('hex');
}

/** A file's bytes, up to a limit. Rejects with an error for `readingFault`. */
export const readFile = ({ path }: ScannedFolder, name: string, limit: number): Promise<Uint8Array> =>
  readBounded(join(path, name), limit);

/**
 * Looks through a tensor file, however large.
 *
 * @throws DataError where it is no tensor file; rejects with an error for `readingFault` where it cannot be read.
 */
export async function scanTensors({ path, sizes }: ScannedFolder, name: string): Promise<ScannedTensors> {
  const file = join(path, name);
  const size = sizes.get(name) ?? 0;
  const first = async (length: number): Promise<Uint8Array> => {
    const parts: Uint8Array[] = [];
    await readChunks(file, [0, length], (bytes) => parts.push(bytes.slice()));
    return Buffer.concat(parts);
  };
  const prefix = await first(Math.min(size, LENGTH_BYTES));
  const { places, metadata } = decodeHeader(await first(headerBytes(prefix, name, size)), name, size);
  let notFinite: string | null = null;
  for (const [tensor, { dtype, start, end }] of places) {
    if (dtype !== 'F32' || notFinite !== null) continue;
    await readChunks(file, [start, end], (bytes) => {
      // Chunks begin where the buffer does, so that elements lie at multiples of their size.
      const numbers = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
      if (!numbers.every(Number.isFinite)) notFinite = tensor;
    });
  }
  return { places, metadata, notFinite };
}
