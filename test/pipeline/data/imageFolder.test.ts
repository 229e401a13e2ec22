import { execFileSync } from 'node:child_process';
import { link, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DataError } from '../../../src/errors.js';
import { loadDataset } from '../../../src/pipeline/data/dataset.js';
import { imageFolderLayout, labelled, readImageFolder } from '../../../src/pipeline/data/imageFolder.js';
import { crc32 } from '../../support/crc32.js';
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

  it('is one of images without labels where there are no sub-folders, links within it counting as what they lead to', async () => {
    const inner = await writeFiles(join(scratch, 'flat'), { 'b.png': await png(), 'a.png': await png() });
    expect(await imageFolderLayout(inner)).toMatchObject({ classes: [], train: { labels: null } });
    const outer = await writeFiles(join(scratch, 'linked'), { 'class/a.png': await png() });
    await symlink('class', join(outer, 'other'));
    expect((await imageFolderLayout(outer)).classes).toEqual(['class', 'other']);
    // The folder that was named may itself be a link.
    await symlink(outer, join(scratch, 'link to linked'));
    expect((await imageFolderLayout(join(scratch, 'link to linked'))).classes).toEqual(['class', 'other']);
  });

  it.each<[string, string, string]>([
    ['a class', 'class', '..'],
    ['a part', 'train', '../elsewhere'],
    ['a file', 'a/private.png', '../../elsewhere/a.png'],
  ])('refuses %s that is a link out of it', async (name, link, target) => {
    const folder = await writeFiles(join(scratch, `out by ${name}`), { 'a/a.png': await png() });
    await writeFiles(join(scratch, 'elsewhere'), { 'a.png': await png() });
    await symlink(target, join(folder, link));
    const attempt = imageFolderLayout(folder);
    await expect(attempt).rejects.toThrow(DataError);
    await expect(attempt).rejects.toThrow(/is a link that leads out of the folder, to .*cp -rL/);
  });

  it('takes more images in a class than a call takes arguments, and as many classes as images', () => {
    const names = (count: number) => Array.from({ length: count }, (_, k) => `${k}.png`);
    const crowded = labelled([['a.png'], names(300_000)]);
    expect([crowded.paths.length, crowded.labels[0], crowded.labels.at(-1)]).toEqual([300_001, 0, 1]);
    const sparse = labelled(names(200_000).map((name) => [name]));
    expect([sparse.paths.length, sparse.labels.at(-1)]).toEqual([200_000, 199_999]);
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
    [
      'a drawing that refers to other files',
      () =>
        Buffer.from(
          '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><image href="file:///etc/hosts"/></svg>',
        ),
    ],
    ['a GIF', () => Buffer.from('R0lGODdhAQABAIAAAP///////ywAAAAAAQABAAACAkQBADs=', 'base64')],
    ['a PDF', () => Buffer.from('%PDF-1.4\n')],
    ['a TIFF', () => Buffer.from('II*\0\b\0\0\0')],
    ['a PNG signature alone', () => Buffer.from('89504e470d0a1a0a', 'hex')],
    ['a JPEG signature alone', () => Buffer.from('ffd8ffe0', 'hex')],
    ['an empty file', () => new Uint8Array()],
  ])('names %s', async (name, damage) => {
    const whole = await jpeg({ width: 40, height: 40 });
    const folder = await writeFiles(join(scratch, name), { 'a.jpg': whole, 'broken.jpg': damage(whole) });
    const attempt = loadDataset(dataOf('folder', folder), 1);
    await expect(attempt).rejects.toThrow(DataError);
    await expect(attempt).rejects.toThrow(/broken\.jpg is no whole PNG or JPEG image \(.+\)/);
  });

  it('refuses a PNG that claims gigabytes, and one too large to be used as it is, before decoding', async () => {
    const claiming = (width: number, height: number, whole: Uint8Array): Buffer => {
      const bytes = Buffer.from(whole);
      bytes.writeUInt32BE(width, 16);
      bytes.writeUInt32BE(height, 20);
      bytes.writeUInt32BE(crc32(bytes.subarray(12, 29)), 29);
      return bytes;
    };
    const whole = await png();
    const folder = join(scratch, 'claims');
    const attempt = (bytes: Uint8Array, side: number | null) =>
      writeFiles(folder, { '1.png': bytes, '2.png': bytes }).then(() =>
        loadDataset(dataOf('folder', folder, { resize: { side, rule: 'cover' } }), 1),
      );
    const huge = claiming(60_000, 60_000, whole);
    await expect(attempt(huge, 8)).rejects.toThrow(
      /\d\.png has 60000×60000 pixels, where at most 16777216 in all and 16384 a side are read/,
    );
    await expect(attempt(huge, null)).rejects.toThrow(DataError);
    await expect(attempt(claiming(2 ** 23 - 1, 1, whole), 8)).rejects.toThrow(/1×8388607 pixels, .* a side/);
    await expect(attempt(claiming(4000, 2000, whole), null)).rejects.toThrow(
      /\d\.png has 2000×4000 pixels, where at most 4194304 .* as they are. Set data\.resize\.side/,
    );
    await expect(attempt(claiming(4000, 2000, whole), 8)).rejects.toThrow(/no whole PNG or JPEG/);
  });

  it.skipIf(process.platform === 'win32')(
    'does not wait for a pipe that is called an image (POSIX only: mkfifo)',
    async () => {
      const folder = await writeFiles(join(scratch, 'pipe'), { 'a.png': await png() });
      execFileSync('mkfifo', [join(folder, 'b.png')]);
      await expect(loadDataset(dataOf('folder', folder), 1)).rejects.toThrow(/b\.png is a pipe or a device/);
    },
  );

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
