import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DataError } from '../../../src/errors.js';
import { parseIdx, readIdx } from '../../../src/pipeline/data/idx.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hypergrad-idx-'));
});
afterAll(() => rm(folder, { recursive: true }));

const whole = Uint8Array.of(0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6);

async function saved(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

describe('readIdx', () => {
  it('reads plain and gzipped files alike', async () => {
    const plain = await readIdx(await saved('plain', whole), 2);
    const packed = await readIdx(await saved('packed', gzipSync(whole)), 2);
    for (const array of [plain, packed]) {
      expect(array.shape).toEqual([2, 3]);
      expect([...array.data]).toEqual([1, 2, 3, 4, 5, 6]);
    }
  });

  it('names a missing file, a folder, and a gzip file cut short', async () => {
    await expect(readIdx(join(folder, 'none'), 2)).rejects.toThrow(/none does not exist/);
    await expect(readIdx(folder, 2)).rejects.toThrow(/is a folder/);
    const cut = await saved('cut.gz', gzipSync(whole).subarray(0, 15));
    const error = await readIdx(cut, 2).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DataError);
    expect((error as Error).message).toContain(`${cut} is not a whole gzip file`);
  });
});

describe('readIdx of a gzipped file', () => {
  const zeros = (length: number) => gzipSync(Buffer.concat([whole.subarray(0, 12), Buffer.alloc(length)]));

  it('unpacks no more than its header asks for', async () => {
    const bomb = await saved('bomb.gz', zeros(2 ** 28));
    const before = process.resourceUsage().maxRSS;
    await expect(readIdx(bomb, 2)).rejects.toThrow(
      /bomb\.gz is not a whole gzip file \(it unpacks to more than its header asks for\)/,
    );
    // In KiB: what 256 MiB of zeros would have taken.
    expect(process.resourceUsage().maxRSS - before).toBeLessThan(2 ** 16);
  });

  it('does not unpack what asks for more than its bytes can hold', async () => {
    const header = Uint8Array.from(whole);
    new DataView(header.buffer).setUint32(4, 2 ** 20);
    const small = await saved('small.gz', gzipSync(header));
    await expect(readIdx(small, 2)).rejects.toThrow(
      /its header asks for 4 MiB, and it holds \d+ bytes packed/,
    );
  });

  it('reads one with a long comment in front, and refuses one whose comment never ends', async () => {
    const packed = gzipSync(whole);
    const commented = (length: number) =>
      Buffer.concat([
        packed.subarray(0, 3),
        Buffer.of(16),
        packed.subarray(4, 10),
        Buffer.alloc(length, 0x61),
        Buffer.of(0),
        packed.subarray(10),
      ]);
    expect([...(await readIdx(await saved('long.gz', commented(5000)), 2)).data]).toEqual([1, 2, 3, 4, 5, 6]);
    await expect(readIdx(await saved('endless.gz', commented(2 ** 18)), 2)).rejects.toThrow(
      /no array begins where one should/,
    );
  });
});

describe('parseIdx', () => {
  it.each<[string, (bytes: Uint8Array) => Uint8Array, RegExp]>([
    [
      'a file cut short',
      (bytes) => bytes.subarray(0, 17),
      /holds 17 bytes, but its header \(2×3\) asks for 18/,
    ],
    ['bytes beyond the last', (bytes) => Uint8Array.of(...bytes, 7), /holds 19 bytes/],
    ['a header cut short', (bytes) => bytes.subarray(0, 9), /ends after 9 bytes, within its header/],
    ['an empty file', () => new Uint8Array(), /not an IDX file/],
    ['another magic number', (bytes) => bytes.with(0, 1), /not an IDX file/],
    ['another element type', (bytes) => bytes.with(2, 13), /type 13/],
    ['another number of dimensions', (bytes) => bytes.with(3, 3), /3 dimensions/],
    ['sizes far beyond memory', (bytes) => bytes.fill(255, 4, 12), /asks for/],
  ])('refuses %s, naming the file', (_, damage, message) => {
    const attempt = () => parseIdx(damage(whole.slice()), 'some-file', 2);
    expect(attempt).toThrow(DataError);
    expect(attempt).toThrow(message);
    expect(attempt).toThrow(/^some-file /);
  });
});
