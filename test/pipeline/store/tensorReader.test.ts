import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DataError, StoreError } from '../../../src/errors.js';
import { encodeSafetensors, type NamedTensor } from '../../../src/pipeline/store/safetensors.js';
import { TensorReader } from '../../../src/pipeline/store/tensorReader.js';

let folder = '';
let path = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hypergrad-reader-'));
  path = join(folder, 'tensors.safetensors');
});
afterAll(() => rm(folder, { recursive: true }));

const floats = (...shape: number[]): NamedTensor => {
  const count = shape.reduce((product, extent) => product * extent, 1);
  return { dtype: 'F32', shape, data: Float32Array.from({ length: count }, (_, k) => k + shape.length / 8) };
};

async function written(tensors: Record<string, NamedTensor>): Promise<void> {
  // Of a length that does not leave the data at a multiple of 4 bytes by chance.
  await writeFile(path, encodeSafetensors(new Map(Object.entries(tensors)), { note: 'abc' }));
}

describe('TensorReader', () => {
  it('reads the same rows as lie in the whole tensor, whichever are asked for', async () => {
    const rows = fc.integer({ min: 1, max: 7 });
    await fc.assert(
      fc.asyncProperty(rows, rows, rows, fc.nat(6), fc.nat(6), async (a, b, c, from, more) => {
        const first = from % a;
        const count = 1 + (more % (a - first));
        const tensor = floats(a, b, c);
        await written({ before: floats(3), middle: tensor, next: floats(c, b) });
        const reader = await TensorReader.open(path);
        expect(reader.shapeOf('middle')).toEqual([a, b, c]);
        expect(await reader.readRows('middle', first, count)).toEqual(
          tensor.data.slice(first * b * c, (first + count) * b * c),
        );
      }),
      { seed: 1, numRuns: 20 },
    );
  });

  it('knows no shape of a tensor that is not there', async () => {
    await written({ a: floats(2) });
    expect((await TensorReader.open(path)).shapeOf('b')).toBeUndefined();
  });

  it('refuses rows that there are not, and tensors of whole numbers', async () => {
    await written({ a: floats(4, 2), n: { dtype: 'I32', shape: [2], data: Int32Array.of(1, 2) } });
    const reader = await TensorReader.open(path);
    for (const [name, first, count] of [
      ['a', 3, 2],
      ['a', -1, 1],
      ['a', 0, 0],
      ['b', 0, 1],
      ['n', 0, 1],
    ] as const) {
      await expect(reader.readRows(name, first, count)).rejects.toThrow(DataError);
    }
  });

  it('tells a file that is cut short, before and after it was opened', async () => {
    await written({ a: floats(4, 2) });
    const reader = await TensorReader.open(path);
    const { length } = await readFile(path);
    await truncate(path, length - 4);
    await expect(reader.readRows('a', 3, 1)).rejects.toThrow(/cut short/);
    await expect(TensorReader.open(path)).rejects.toThrow(/cut short/);
    await truncate(path, 5);
    await expect(TensorReader.open(path)).rejects.toThrow(/less than a header/);
    await rm(path);
    await expect(reader.readRows('a', 0, 1)).rejects.toThrow(StoreError);
  });
});
