import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DataError } from '../../../src/errors.js';
import { loadDataset } from '../../../src/pipeline/data/dataset.js';
import { readIdxFolder } from '../../../src/pipeline/data/idxFolder.js';
import { dataOf, idx, writeFiles } from '../../support/imageFiles.js';

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hypergrad-idx-folder-'));
});
afterAll(() => rm(scratch, { recursive: true }));

const images = (count: number, height = 3, width = 5) =>
  idx(
    [count, height, width],
    Array.from({ length: count * height * width }, (_, at) => at % 251),
  );
const labels = (...values: number[]) => idx([values.length], values);

describe('readIdxFolder', () => {
  it('finds four files by magic number and name, gzipped or not, whatever they are called', async () => {
    const folder = await writeFiles(join(scratch, 'letters'), {
      'letters-train-images.gz': gzipSync(images(4)),
      'letters-train-labels': labels(1, 3, 26, 1),
      'letters-test-images': images(2),
      'letters-test-labels.gz': gzipSync(labels(2, 5)),
      'letters-mapping.txt': '1 65 97\n',
      '.DS_Store': 'hidden',
    });
    const { classes, train, test } = await readIdxFolder(folder);
    expect(classes).toHaveLength(27);
    expect(train).toMatchObject({ count: 4, channels: 1, height: 3, width: 5 });
    expect(Array.from(train.labels!)).toEqual([1, 3, 26, 1]);
    expect(Array.from(test!.labels!)).toEqual([2, 5]);
    expect([...(await test!.read(Int32Array.of(1)))]).toEqual(Array.from({ length: 15 }, (_, k) => k + 15));
  });

  it('takes a single pair, and leaves the tests to be held out', async () => {
    const folder = await writeFiles(join(scratch, 'pair'), {
      'a.idx3': images(10),
      'a.idx1': labels(...[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
    });
    expect((await readIdxFolder(folder)).test).toBeNull();
    const dataset = await loadDataset(dataOf('idx', folder, { holdOut: 0.3 }), 1);
    const [train, test] = [[...dataset.train.labels!], [...dataset.test.labels!]];
    expect([train.length, test.length]).toEqual([7, 3]);
    expect([...train, ...test].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    // Each image of these files has its number as its label; all of them are training images there.
    for (const { origin, labels } of [dataset.train, dataset.test]) {
      expect(origin).toEqual({ part: 'train', count: 10, numbers: labels });
    }
    // Drawing fewer moves no image across the split.
    const fewer = await loadDataset(dataOf('idx', folder, { holdOut: 0.3, train: 3, test: 1 }), 1);
    for (const label of fewer.train.labels!) expect(train).toContain(label);
    for (const label of fewer.test.labels!) expect(test).toContain(label);
    await expect(loadDataset(dataOf('idx', folder, { train: 9 }), 1)).rejects.toThrow(
      /only 8 training images \(data\.holdOut = 0\.2/,
    );
  });

  it('takes images without labels', async () => {
    const folder = await writeFiles(join(scratch, 'unlabelled'), { 'a.idx3': images(5) });
    const dataset = await loadDataset(dataOf('idx', folder), 1);
    expect(dataset).toMatchObject({ classes: [], image: [1, 3, 5] });
    expect([dataset.train.labels, dataset.test.labels]).toEqual([null, null]);
    expect([dataset.train.count, dataset.test.count]).toEqual([4, 1]);
  });

  it.each<[string, Record<string, Uint8Array | string>, RegExp]>([
    ['no IDX file of images', { 'a.idx1': labels(1), 'b.txt': 'text' }, /holds no IDX file of images/],
    [
      'several datasets',
      { 'a-train': images(1), 'b-train': images(1), 'b-test': images(1) },
      /3 IDX files of images \(a-train, b-test, b-train\).*folder of its own/,
    ],
    [
      'two files that are both for training',
      { 'a-train': images(1), 'b-train': images(1) },
      /one whose name has t10k/,
    ],
    [
      'labels of which it is not clear whose they are',
      { a: images(1), l1: labels(1), l2: labels(2) },
      /labels l1, l2 for the images a/,
    ],
    ['labels of another number', { a: images(2), l: labels(1) }, /1 labels for the 2 images/],
    ['a cut file', { a: images(2).subarray(0, 20) }, /a holds 20 bytes.*\(2×3×5\) asks for 46/],
    ['a cut gzip file', { 'a.gz': gzipSync(images(200)).subarray(0, 100) }, /a\.gz is not a whole gzip file/],
    ['parts of two sizes', { a: images(1), 'a-test': images(1, 4, 4) }, /3×5 pixels, test images 4×4/],
    ['a wrong magic number', { a: images(1).with(2, 13) }, /holds no IDX file of images/],
  ])('refuses %s, naming it', async (name, files, message) => {
    const attempt = readIdxFolder(await writeFiles(join(scratch, name), files));
    await expect(attempt).rejects.toThrow(DataError);
    await expect(attempt).rejects.toThrow(message);
  });
});
