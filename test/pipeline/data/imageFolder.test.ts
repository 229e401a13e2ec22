import { link, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DataError } from '../../../src/errors.js';
import { loadDataset } from '../../../src/pipeline/data/dataset.js';
import { imageFolderLayout, readImageFolder } from '../../../src/pipeline/data/imageFolder.js';
import { dataOf, jpeg, png, writeFiles } from '../../support/imageFiles.js';

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hypergrad-images-'));
});
afterAll(() => rm(scratch, { recursive: true }));

const RED = [250, 10, 20];
const GRAY = [128];

describe('the layout of an image folder', () => {
  it('has a class for each sub-folder, sorted, without hidden files', async () => {
    const one = await png();
    const folder = await writeFiles(join(scratch, 'classes'), {
      'dog/10.png': one,
      'dog/2.PNG': one,
      'cat/a.jpg': await jpeg(),
      'cat/.hidden.png': 'not read',
      '.git/x': '',
    });
    const { classes, train, test } = await imageFolderLayout(folder);
    expect(classes).toEqual(['cat', 'dog']);
    expect(train.paths.map((path) => path.slice(folder.length))).toEqual([
      '/cat/a.jpg',
      '/dog/10.png',
      '/dog/2.PNG',
    ]);
    expect([...train.labels!]).toEqual([0, 1, 1]);
    expect(test).toBeNull();
  });

  it.each(['test', 'val'])('takes train and %s, with the classes of train', async (name) => {
    const one = await png();
    const folder = await writeFiles(join(scratch, `parts ${name}`), {
      'train/a/1.png': one,
      'train/b/1.png': one,
      [`${name}/b/1.png`]: one,
      'README.md': 'about it',
    });
    const { classes, train, test } = await imageFolderLayout(folder);
    expect([classes, [...train.labels!], [...test!.labels!]]).toEqual([['a', 'b'], [0, 1], [1]]);
  });

  it('is one of images without labels where there are no sub-folders, links counting as what they lead to', async () => {
    const inner = await writeFiles(join(scratch, 'flat'), { 'b.png': await png(), 'a.png': await png() });
    expect(await imageFolderLayout(inner)).toMatchObject({ classes: [], train: { labels: null } });
    const outer = join(scratch, 'linked');
    await mkdir(outer);
    await symlink(inner, join(outer, 'class'));
    expect((await imageFolderLayout(outer)).classes).toEqual(['class']);
  });

  it.each<[string, string[], RegExp]>([
    ['a file that is no image', ['a/1.png', 'a/notes.txt'], /\/a holds notes\.txt, which is no PNG or JPEG/],
    [
      'many files that are no images',
      ['1.webp', '2.gif', '3.txt', '4.txt'],
      /1\.webp, 2\.gif, 3\.txt and 1 more, which are no/,
    ],
    ['images beside classes', ['a/1.png', 'b.png'], /both images \(b\.png\) and folders \(a\)/],
    ['folders within classes', ['a/x/1.png'], /\/a holds x: folders within a class/],
    ['nothing', [], /holds no images/],
    [
      'a class that only the tests have',
      ['train/a/1.png', 'test/b/1.png'],
      /\/test has b, and the training images have no such class/,
    ],
    ['something beside train', ['train/a/1.png', 'extra/1.png'], /holds extra beside train/],
  ])('refuses %s, naming it', async (name, files, message) => {
    const one = await png();
    const folder = await writeFiles(
      join(scratch, name),
      Object.fromEntries(files.map((file) => [file, one])),
    );
    const attempt = imageFolderLayout(folder);
    await expect(attempt).rejects.toThrow(DataError);
    await expect(attempt).rejects.toThrow(message);
  });
});

describe('readImageFolder', () => {
  it('reads colours plane by plane, gray and half-transparent files among them', async () => {
    const folder = await writeFiles(join(scratch, 'colours'), {
      '1.png': await png({ colour: RED }),
      '2.png': await png({ channels: 1, colour: GRAY }),
      '3.png': await png({ channels: 4, colour: [200, 100, 50, 0] }),
      '4.jpeg': await jpeg({ channels: 1, colour: GRAY }),
    });
    const { train } = await readImageFolder(dataOf('folder', folder));
    expect(train).toMatchObject({ count: 4, channels: 3, height: 4, width: 4, labels: null });
    const bytes = await train.read(Int32Array.of(0, 1, 2, 3));
    const planes = Array.from({ length: 12 }, (_, plane) => [
      ...new Set(bytes.subarray(16 * plane, 16 * plane + 16)),
    ]);
    expect(planes).toEqual([[250], [10], [20], [128], [128], [128], [0], [0], [0], [128], [128], [128]]);
    const gray = await readImageFolder(dataOf('folder', folder, { channels: 'gray' }));
    expect(gray.train.channels).toBe(1);
    expect((await gray.train.read(Int32Array.of(1)))[0]).toBe(128);
  });

  it.each([
    ['cover', [250, 250]],
    ['contain', [0, 250]],
    ['stretch', [250, 250]],
  ] as const)('resizes by the rule %s', async (rule, [corner, middle]) => {
    const folder = await writeFiles(join(scratch, `resized ${rule}`), {
      '1.png': await png({ width: 32, height: 16, colour: RED }),
      '2.png': await png({ width: 9, height: 9, colour: RED }),
    });
    const config = dataOf('folder', folder, { resize: { side: 8, rule } });
    const { train } = await readImageFolder(config);
    const bytes = await train.read(Int32Array.of(0));
    expect([train.height, train.width, bytes.length]).toEqual([8, 8, 192]);
    expect([bytes[0], bytes[8 * 4 + 4]]).toEqual([corner, middle]);
  });

  it('names two files whose sizes differ, and what to set', async () => {
    const folder = await writeFiles(join(scratch, 'mixed'), {
      '1.png': await png(),
      '2.png': await png(),
      '3.png': await png({ width: 5 }),
    });
    const attempt = loadDataset(dataOf('folder', folder), 1);
    await expect(attempt).rejects.toThrow(DataError);
    await expect(attempt).rejects.toThrow(
      /\/\d\.png has 4×\d pixels, .*\/\d\.png has 4×\d: .*data\.resize\.side/,
    );
    const resized = dataOf('folder', folder, { resize: { side: 4, rule: 'cover' } });
    expect((await loadDataset(resized, 1)).image).toEqual([3, 4, 4]);
  });

  it.each([
    ['a JPEG cut short', (bytes: Uint8Array) => bytes.subarray(0, bytes.length - 40)],
    ['a JPEG with damaged data', (bytes: Uint8Array) => bytes.slice().fill(0x55, 700, 900)],
    ['a file of other content', () => Buffer.from('hello')],
    ['an empty file', () => new Uint8Array()],
  ])('names %s', async (name, damage) => {
    const whole = await jpeg({ width: 40, height: 40 });
    const folder = await writeFiles(join(scratch, name), { 'a.jpg': whole, 'broken.jpg': damage(whole) });
    const attempt = loadDataset(dataOf('folder', folder), 1);
    await expect(attempt).rejects.toThrow(DataError);
    await expect(attempt).rejects.toThrow(/broken\.jpg is no whole PNG or JPEG image \(.+\)/);
  });

  it('decodes only what is drawn: a broken file elsewhere does no harm', async () => {
    const files = Object.fromEntries(
      await Promise.all(Array.from({ length: 8 }, async (_, k) => [`${k}.png`, await png({ noise: k })])),
    );
    const folder = await writeFiles(join(scratch, 'partly broken'), { ...files, '8.png': 'broken' });
    const config = dataOf('folder', folder, { train: 1, test: 1 });
    const results = await Promise.allSettled(
      Array.from({ length: 12 }, (_, seed) => loadDataset(config, seed)),
    );
    const outcomes = new Set(results.map(({ status }) => status));
    expect(outcomes).toEqual(new Set(['fulfilled', 'rejected']));
  });

  it('reads a folder of 10 000 images, a share of which is drawn', async () => {
    const folder = join(scratch, 'many');
    const kinds = await writeFiles(join(scratch, 'kinds'), {
      '0.png': await png({ noise: 1 }),
      '1.png': await png({ noise: 2 }),
    });
    for (const name of ['a', 'b']) {
      await mkdir(join(folder, name), { recursive: true });
      await Promise.all(
        Array.from({ length: 5000 }, (_, k) =>
          link(join(kinds, `${k % 2}.png`), join(folder, name, `${k}.png`)),
        ),
      );
    }
    const dataset = await loadDataset(dataOf('folder', folder, { train: 500, test: 100 }), 1);
    expect([dataset.train.count, dataset.test.count]).toEqual([500, 100]);
    expect(new Set(dataset.train.labels)).toEqual(new Set([0, 1]));
    // The same order on any machine, and whatever the number drawn.
    const fewer = await loadDataset(dataOf('folder', folder, { train: 50, test: 100 }), 1);
    expect(fewer.train.labels).toEqual(dataset.train.labels!.subarray(0, 50));
  });
});
