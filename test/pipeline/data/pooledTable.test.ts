import { describe, expect, it } from 'vitest';
import { DataError } from '../../../src/errors.js';
import {
  bytesPerSum,
  chunksOf,
  largestSum,
  type PooledTable,
  poolImages,
  tableBytes,
} from '../../../src/pipeline/data/pooledTable.js';
import { imagesInMemory } from '../../../src/pipeline/data/rawImages.js';

/** Three images of 2 channels and 4×4 pixels, whose bytes are their places. */
const images = imagesInMemory({
  ...{ count: 3, channels: 2, height: 4, width: 4, labels: null },
  pixels: Uint8Array.from({ length: 3 * 2 * 4 * 4 }, (_, k) => k),
});
const places = [false, true].map((inFile) => ({ where: inFile ? 'a file' : 'memory', inFile }));

async function withTable<Result>(
  options: { readonly pool: number; readonly inFile: boolean },
  use: (table: PooledTable) => Result,
): Promise<Result> {
  const table = await poolImages(images, Int32Array.of(2, 0), options);
  try {
    return use(table);
  } finally {
    table.close();
  }
}

describe.each(places)('images that lie pooled in $where', ({ inFile }) => {
  it('are sums of blocks, in the order that was drawn', async () => {
    const [count, elements, rows] = await withTable({ pool: 2, inFile }, (table) => [
      table.count,
      table.elements,
      [...table.read([1])],
    ]);
    expect([count, elements]).toEqual([2, 2 * 2 * 2]);
    // Of image 0, the block of the bytes 0, 1, 4 and 5 first.
    expect(rows).toEqual([10, 18, 42, 50, 74, 82, 106, 114]);
  });

  it('are the bytes themselves without pooling, in any order and as often as asked for', async () => {
    const bytes = (image: number): number[] => Array.from({ length: 32 }, (_, k) => 32 * image + k);
    const read = await withTable({ pool: 1, inFile }, (table) => [...table.read([0, 1, 0])]);
    expect(read).toEqual([...bytes(2), ...bytes(0), ...bytes(2)]);
  });

  it('come in order, however they are cut', async () => {
    const [all, whole] = await withTable({ pool: 2, inFile }, (table) => [
      [...chunksOf(table)].flatMap((sums) => [...sums]),
      [...table.read([0, 1])],
    ]);
    expect(all).toEqual(whole);
  });
});

it('refuses to read from a file that was closed', async () => {
  const table = await poolImages(images, Int32Array.of(0), { pool: 1, inFile: true });
  table.close();
  table.close();
  expect(() => table.read([0])).toThrow(DataError);
});

it('takes the smallest whole numbers that hold a sum', () => {
  expect([1, 2, 16, 17].map(bytesPerSum)).toEqual([1, 2, 2, 4]);
  for (const pool of [1, 2, 16, 17]) expect(largestSum(pool)).toBeLessThan(256 ** bytesPerSum(pool));
  expect(tableBytes(images, 5, 2)).toBe(5 * 8 * 2);
});
