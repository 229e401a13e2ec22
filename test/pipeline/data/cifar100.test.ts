import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DataError } from '../../../src/errors.js';
import { readCifar100 } from '../../../src/pipeline/data/cifar100.js';
import { writeFiles } from '../../support/imageFiles.js';

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hypergrad-cifar100-'));
});
afterAll(() => rm(scratch, { recursive: true }));

/** Coarse label, fine label, and pixels that begin with the fine label. */
const record = (coarse: number, fine: number) =>
  Uint8Array.of(coarse, fine, ...Array.from({ length: 3072 }, (_, at) => (fine + at) % 256));
const records = (...fine: number[]) => Buffer.concat(fine.map((label) => record(label % 20, label)));
const names = `${Array.from({ length: 100 }, (_, label) => `class ${label}`).join('\n')}\n`;

describe('readCifar100', () => {
  it('reads the fine labels, the pixels and the names', async () => {
    const folder = await writeFiles(join(scratch, 'whole'), {
      'train.bin': records(7, 99, 0),
      'test.bin': records(42),
      'fine_label_names.txt': names,
    });
    const { classes, train, test } = await readCifar100(folder);
    expect(classes[99]).toBe('class 99');
    expect([...Array.from(train.labels!)]).toEqual([7, 99, 0]);
    expect([...Array.from(test!.labels!)]).toEqual([42]);
    expect(train).toMatchObject({ count: 3, channels: 3, height: 32, width: 32 });
    const bytes = await train.read(Int32Array.of(2, 0));
    expect([...bytes.subarray(0, 2), ...bytes.subarray(3072, 3074)]).toEqual([0, 1, 7, 8]);
  });

  it('calls the classes by number where their names are missing', async () => {
    const folder = await writeFiles(join(scratch, 'unnamed'), {
      'train.bin': records(1),
      'test.bin': records(2),
    });
    expect((await readCifar100(folder)).classes[42]).toBe('42');
  });

  it.each<[string, Record<string, Uint8Array | string>, RegExp]>([
    ['a cut file', { 'train.bin': records(1).subarray(0, 3073) }, /train\.bin holds 3073 bytes.*3074 bytes/],
    ['a label above 99', { 'test.bin': records(5, 100) }, /test\.bin: record 1 has the label 100/],
    ['too few names', { 'fine_label_names.txt': 'a\nb\n' }, /fine_label_names\.txt names 2 classes.*100/],
  ])('refuses %s, naming it', async (name, changed, message) => {
    const folder = await writeFiles(join(scratch, name), {
      'train.bin': records(1),
      'test.bin': records(2),
      ...changed,
    });
    const attempt = readCifar100(folder);
    await expect(attempt).rejects.toThrow(DataError);
    await expect(attempt).rejects.toThrow(message);
  });

  it('says which file a folder lacks', async () => {
    const folder = await writeFiles(join(scratch, 'half'), { 'train.bin': records(1) });
    await expect(readCifar100(folder)).rejects.toThrow(/lacks test\.bin.*--data DIR/);
    await expect(readCifar100(null)).rejects.toThrow(/cifar100 is read from a folder.*--data DIR/);
  });
});
