import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError, DataError } from '../../../src/errors.js';
import { permutation } from '../../../src/kernels/philox.js';
import type { Config } from '../../../src/pipeline/config/schema.js';
import { drawDataset, loadDataset } from '../../../src/pipeline/data/dataset.js';
import { poolImages } from '../../../src/pipeline/data/pooledTable.js';
import { readSource } from '../../../src/pipeline/data/sources.js';
import { dataOf, idx } from '../../support/imageFiles.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hypergrad-data-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** A folder of named files. */
async function folderOf(name: string, files: Record<string, Uint8Array>): Promise<string> {
  const path = join(folder, name);
  await mkdir(path);
  for (const [file, bytes] of Object.entries(files)) await writeFile(join(path, file), bytes);
  return path;
}

/** Pixel values that no two positions of a small set share by accident. */
const pixel = (index: number) => (index * 37 + 11) % 256;
const pixels = (count: number) => Uint8Array.from({ length: count }, (_, index) => pixel(index));

const digitFiles = {
  'train-images-idx3-ubyte': idx([3, 4, 4], pixels(48)),
  'train-labels-idx1-ubyte': idx([3], [7, 0, 9]),
  't10k-images-idx3-ubyte.gz': gzipSync(idx([2, 4, 4], pixels(32))),
  't10k-labels-idx1-ubyte': idx([2], [1, 2]),
};

const mnist = (overrides: Partial<Config['data']>) => dataOf('mnist', null, overrides);
const cifar10 = (overrides: Partial<Config['data']>) => dataOf('cifar10', null, overrides);

describe('loadDataset, mnist', () => {
  it('samples in the order of the permutation, pools, and standardises by the training images used', async () => {
    const path = await folderOf('digits', digitFiles);
    const dataset = await loadDataset(mnist({ folder: path, train: 2, pool: 2 }), 5);
    expect(dataset.image).toEqual([1, 2, 2]);
    expect(dataset.classes).toHaveLength(10);

    const order = [...permutation({ seed: 5, purpose: 'data.train', index: 0 }, 3)].slice(0, 2);
    expect([...dataset.train.labels!]).toEqual(order.map((index) => [7, 0, 9][index]));

    expect(dataset.train.origin).toEqual({ part: 'train', count: 3, numbers: Int32Array.from(order) });
    expect(dataset.test.origin).toMatchObject({ part: 'test', count: 2 });

    const pooled = order.flatMap((image) =>
      [0, 2, 8, 10].map((corner) => {
        const at = image * 16 + corner;
        return (pixel(at) + pixel(at + 1) + pixel(at + 4) + pixel(at + 5)) / 4 / 255;
      }),
    );
    const mean = pooled.reduce((sum, value) => sum + value, 0) / pooled.length;
    const deviation = Math.sqrt(pooled.reduce((sum, value) => sum + (value - mean) ** 2, 0) / pooled.length);
    expect(dataset.mean[0]).toBeCloseTo(mean, 12);
    expect(dataset.deviation[0]).toBeCloseTo(deviation, 12);
    for (const [index, value] of pooled.entries()) {
      expect(dataset.train.images[index]).toBeCloseTo((value - mean) / deviation, 5);
    }
  });

  it('uses every image once when train and test are null', async () => {
    const path = join(folder, 'digits');
    const dataset = await loadDataset(mnist({ folder: path }), 1);
    expect([...dataset.train.labels!].sort()).toEqual([0, 7, 9]);
    expect([...dataset.test.labels!].sort()).toEqual([1, 2]);
    expect(dataset.test.images).toHaveLength(32);
  });

  it('gives a constant channel zeros, not NaN', async () => {
    const path = await folderOf('constant', {
      ...digitFiles,
      'train-images-idx3-ubyte': idx([3, 4, 4], Array(48).fill(9)),
    });
    const dataset = await loadDataset(mnist({ folder: path }), 1);
    expect(dataset.train.images.every((value) => value === 0)).toBe(true);
    expect(dataset.deviation).toEqual([1]);
  });

  it('reads the package: right sizes, standardised, another seed another sample', async () => {
    const config = mnist({ train: 500, test: 300, pool: 2 });
    const [first, again, other] = await Promise.all([1, 1, 2].map((seed) => loadDataset(config, seed)));
    expect(first!.image).toEqual([1, 14, 14]);
    expect(first!.train.images).toHaveLength(500 * 196);
    expect(first!.test.count).toBe(300);
    expect(again!.train.images).toEqual(first!.train.images);
    expect(again!.test.labels).toEqual(first!.test.labels);
    expect(again!.mean).toEqual(first!.mean);
    expect(other!.train.labels).not.toEqual(first!.train.labels);
    const values = first!.train.images;
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    expect(mean).toBeCloseTo(0, 5);
    expect(variance).toBeCloseTo(1, 5);
    expect(first!.mean[0]).toBeCloseTo(0.1307, 2);
  });

  it.each([1, 2, 17])(
    'keeps images beyond data.memory in a file, to the same bits (pool %i)',
    async (pool) => {
      const path = await folderOf(`large ${pool}`, {
        ...digitFiles,
        'train-images-idx3-ubyte': idx([3, 34, 34], pixels(3 * 34 * 34)),
        't10k-images-idx3-ubyte.gz': gzipSync(idx([2, 34, 34], pixels(2 * 34 * 34))),
      });
      const [inMemory, inFile] = await Promise.all(
        [1024, 0].map((memory) => loadDataset(mnist({ folder: path, pool, memory }), 3)),
      );
      expect([inFile!.mean, inFile!.deviation]).toEqual([inMemory!.mean, inMemory!.deviation]);
      expect(inFile!.train.images).toEqual(inMemory!.train.images);
      const rows = await inFile!.train.rows([2, 0, 1, 1]);
      const size = (34 / pool) ** 2;
      expect(rows).toEqual(
        Float32Array.from(
          [2, 0, 1, 1].flatMap((k) => [...inMemory!.train.images.subarray(k * size, (k + 1) * size)]),
        ),
      );
      inFile!.close();
      await expect(inFile!.test.rows([0])).rejects.toThrow(DataError);
    },
  );

  it.runIf(process.platform === 'linux')(
    'keeps no file open where images cannot be read or kept',
    async () => {
      const open = async (): Promise<string[]> => {
        const links = (await readdir('/proc/self/fd')).map((name) => readlink(`/proc/self/fd/${name}`));
        const places = await Promise.all(links.map((link) => link.catch(() => '')));
        return places.filter((place) => place.includes(`images-${process.pid}-`));
      };
      const before = await open();
      const config = mnist({ folder: join(folder, 'digits'), memory: 0 });
      const raw = await readSource(config);
      const read = () => Promise.reject(new DataError('gone'));
      await expect(drawDataset({ ...raw, test: { ...raw.test!, read } }, config, 1)).rejects.toThrow('gone');
      const huge = { ...raw.train, read, height: 2 ** 26, width: 2 ** 26 };
      await expect(poolImages(huge, Int32Array.of(0), { pool: 1, inFile: true })).rejects.toThrow(DataError);
      expect(await open()).toEqual(before);
    },
  );

  it('says how many images there are when more are asked for', async () => {
    const attempt = loadDataset(mnist({ train: 60_001 }), 1);
    await expect(attempt).rejects.toThrow(ConfigError);
    await expect(attempt).rejects.toThrow(/data\.train = 60001.*60000 training images/);
  });

  it('refuses a pool that does not divide the images', async () => {
    await expect(loadDataset(mnist({ folder: join(folder, 'digits'), pool: 3 }), 1)).rejects.toThrow(
      /4×4 pixels/,
    );
  });

  it.each<[string, Record<string, Uint8Array>, RegExp]>([
    [
      'labels and images that differ in count',
      { 'train-labels-idx1-ubyte': idx([2], [1, 2]) },
      /2 labels for the 3 images/,
    ],
    ['a label above 9', { 'train-labels-idx1-ubyte': idx([3], [1, 10, 2]) }, /label 1 is 10/],
    [
      'no images',
      { 'train-images-idx3-ubyte': idx([0, 4, 4], []), 'train-labels-idx1-ubyte': idx([0], []) },
      /no images/,
    ],
    [
      'parts of different sizes',
      { 't10k-images-idx3-ubyte': idx([2, 2, 2], pixels(8)) },
      /4×4 pixels, test images 2×2/,
    ],
    [
      'images in place of labels',
      { 'train-labels-idx1-ubyte': digitFiles['train-images-idx3-ubyte'] },
      /3 dimensions/,
    ],
  ])('refuses %s', async (name, changed, message) => {
    const path = await folderOf(name, { ...digitFiles, ...changed });
    const attempt = loadDataset(mnist({ folder: path }), 1);
    await expect(attempt).rejects.toThrow(DataError);
    await expect(attempt).rejects.toThrow(message);
  });

  it('names the file that a folder lacks', async () => {
    await expect(loadDataset(mnist({ folder: join(folder, 'nowhere') }), 1)).rejects.toThrow(
      /nowhere does not exist.*--data DIR/,
    );
    const attempt = loadDataset(mnist({ folder: await folderOf('of no files', {}) }), 1);
    await expect(attempt).rejects.toThrow(DataError);
    await expect(attempt).rejects.toThrow(/train-images-idx3-ubyte does not exist.*--data DIR/);
  });
});

const record = (label: number, offset: number) =>
  Uint8Array.of(label, ...Array.from({ length: 3072 }, (_, index) => pixel(index + offset)));
const batch = (...labels: number[]) => Buffer.concat(labels.map((label) => record(label, label)));

describe('loadDataset, cifar10', () => {
  it('reads the batches that exist, channel by channel', async () => {
    const path = await folderOf('colour', {
      'data_batch_2.bin': batch(4, 5),
      'data_batch_4.bin': batch(6),
      'test_batch.bin': batch(0, 9),
      'batches.meta.txt': Buffer.from('a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n'),
    });
    const dataset = await loadDataset(cifar10({ folder: path }), 3);
    expect(dataset.image).toEqual([3, 32, 32]);
    expect(dataset.classes[9]).toBe('j');
    const labels = [4, 5, 6];
    const order = [...permutation({ seed: 3, purpose: 'data.train', index: 0 }, 3)];
    expect([...dataset.train.labels!]).toEqual(order.map((index) => labels[index]));
    // The first pixel of the first image's blue channel, standardised by blue's moments.
    const blue = pixel(2048 + labels[order[0]!]!) / 255;
    expect(dataset.train.images[2048]).toBeCloseTo((blue - dataset.mean[2]!) / dataset.deviation[2]!, 5);
  });

  it.each<[string, Record<string, Uint8Array>, RegExp]>([
    [
      'a file cut short',
      { 'data_batch_1.bin': batch(1).subarray(0, 3000) },
      /data_batch_1\.bin holds 3000 bytes.*3073/,
    ],
    ['an empty file', { 'data_batch_1.bin': new Uint8Array() }, /holds 0 bytes/],
    ['a label above 9', { 'data_batch_1.bin': batch(1, 10) }, /record 1 has the label 10/],
    ['too few class names', { 'batches.meta.txt': Buffer.from('a\nb\n') }, /names 2 classes/],
  ])('refuses %s, naming it', async (name, changed, message) => {
    const path = await folderOf(`cifar ${name}`, {
      'data_batch_1.bin': batch(1),
      'test_batch.bin': batch(2),
      ...changed,
    });
    const attempt = loadDataset(cifar10({ folder: path }), 1);
    await expect(attempt).rejects.toThrow(DataError);
    await expect(attempt).rejects.toThrow(message);
  });

  it('says what a folder lacks and how to name another', async () => {
    const noTest = await folderOf('no test', { 'data_batch_1.bin': batch(1) });
    const noTrain = await folderOf('no train', { 'test_batch.bin': batch(1) });
    await expect(loadDataset(cifar10({ folder: noTest }), 1)).rejects.toThrow(
      /lacks test_batch\.bin.*--data DIR/,
    );
    await expect(loadDataset(cifar10({ folder: noTrain }), 1)).rejects.toThrow(/lacks data_batch_1\.bin to/);
    await expect(loadDataset(cifar10({ folder: join(folder, 'gone') }), 1)).rejects.toThrow(
      /gone does not exist/,
    );
    await expect(loadDataset(cifar10({ folder: join(noTest, 'data_batch_1.bin') }), 1)).rejects.toThrow(
      /is not a folder/,
    );
    await expect(loadDataset(cifar10({}), 1)).rejects.toThrow(/--data DIR/);
  });

  const real = '../shared/data/cifar-10-batches-bin';
  it.skipIf(!existsSync(real))('reads the official files (skipped where they are missing)', async () => {
    const dataset = await loadDataset(cifar10({ folder: real, train: 1000, test: 2000, pool: 2 }), 1);
    expect(dataset.image).toEqual([3, 16, 16]);
    expect(dataset.classes[0]).toBe('airplane');
    expect(dataset.mean[0]).toBeCloseTo(0.491, 2);
    expect(new Set(dataset.test.labels!).size).toBe(10);
    await expect(loadDataset(cifar10({ folder: real, train: 10_001 }), 1)).rejects.toThrow(
      /only 10000 training images/,
    );
  });
});
