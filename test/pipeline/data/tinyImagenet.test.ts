import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DataError } from '../../../src/errors.js';
import { readTinyImagenet } from '../../../src/pipeline/data/tinyImagenet.js';
import { dataOf, jpeg, writeFiles } from '../../support/imageFiles.js';

let scratch: string;
let files: Record<string, Uint8Array | string>;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hypergrad-tiny-imagenet-'));
  const colour = (...channels: number[]) => jpeg({ width: 64, height: 64, colour: channels });
  const gray = await jpeg({ width: 64, height: 64, channels: 1, colour: [90] });
  files = {
    'wnids.txt': 'n02\nn01\nn03\n',
    'words.txt': 'n01\tgoldfish, Carassius auratus\nn02\tmaillot\nn03\tmaillot, tank suit\nn99\tother\n',
    'train/n01/images/n01_0.JPEG': await colour(200, 0, 0),
    'train/n01/n01_boxes.txt': 'n01_0.JPEG\t0\t0\t9\t9\n',
    'train/n02/images/n02_0.JPEG': gray,
    'train/n02/images/n02_1.JPEG': await colour(0, 200, 0),
    'train/n03/images/n03_0.JPEG': gray,
    'val/val_annotations.txt': 'val_1.JPEG\tn03\t0\t0\t9\t9\nval_0.JPEG\tn01\t0\t0\t9\t9\n',
    'val/images/val_0.JPEG': await colour(0, 0, 200),
    'val/images/val_1.JPEG': gray,
    'test/images/test_0.JPEG': gray,
  };
});
afterAll(() => rm(scratch, { recursive: true }));

describe('readTinyImagenet', () => {
  it('reads the official layout: classes in the order of wnids.txt, val as tests, gray files as colour', async () => {
    const folder = await writeFiles(join(scratch, 'whole'), files);
    const { classes, train, test } = await readTinyImagenet(dataOf('tiny-imagenet', folder));
    expect(classes).toEqual(['maillot (n02)', 'goldfish', 'maillot (n03)']);
    expect([...Array.from(train.labels!)]).toEqual([0, 0, 1, 2]);
    expect([...Array.from(test!.labels!)]).toEqual([2, 1]);
    expect(train).toMatchObject({ count: 4, channels: 3, height: 64, width: 64 });
    const bytes = await train.read(Int32Array.of(0, 2));
    const firstOfPlanes = Array.from({ length: 6 }, (_, plane) => bytes[plane * 64 * 64]!);
    expect(firstOfPlanes.slice(0, 3)).toEqual([90, 90, 90]);
    expect(firstOfPlanes[3]).toBeGreaterThan(190);
    expect(Math.max(...firstOfPlanes.slice(4))).toBeLessThan(10);
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ['an annotation of an unknown class', { 'val/val_annotations.txt': 'val_0.JPEG\tn77\t0\n' }, /"n77"/],
    [
      'an annotation of a missing file',
      { 'val/val_annotations.txt': 'val_9.JPEG\tn01\t0\n' },
      /val_annotations\.txt names val_9\.JPEG/,
    ],
    ['a class without folder', { 'wnids.txt': 'n01\nn05\n' }, /train\/n05\/images does not exist/],
    ['no classes', { 'wnids.txt': '\n' }, /wnids\.txt names no classes/],
    [
      'a class that leads out of the folder',
      { 'wnids.txt': 'n01\n../../../etc\n' },
      /wnids\.txt names the class "\.\.\/\.\.\/\.\.\/etc", where identifiers/,
    ],
    ['a class twice', { 'wnids.txt': 'n01\nn02\nn01\n' }, /wnids\.txt names a class twice/],
    [
      'an annotation that leads out of the folder',
      { 'val/val_annotations.txt': '../val_annotations.txt\tn01\t0\n' },
      /no such file/,
    ],
  ])('refuses %s, naming the file', async (name, changed, message) => {
    const folder = await writeFiles(join(scratch, name), { ...files, ...changed });
    const attempt = readTinyImagenet(dataOf('tiny-imagenet', folder));
    await expect(attempt).rejects.toThrow(DataError);
    await expect(attempt).rejects.toThrow(message);
  });

  it('refuses a part that is a link out of the folder', async () => {
    const { 'train/n01/images/n01_0.JPEG': image, ...others } = files;
    const folder = await writeFiles(join(scratch, 'link out'), others);
    await writeFiles(join(scratch, 'elsewhere'), { 'images/n01_0.JPEG': image! });
    await rm(join(folder, 'train', 'n01'), { recursive: true });
    await symlink('../../elsewhere', join(folder, 'train', 'n01'));
    await expect(readTinyImagenet(dataOf('tiny-imagenet', folder))).rejects.toThrow(
      /n01\/images is a link that leads out of the folder/,
    );
  });

  it('says what a folder lacks', async () => {
    const folder = await writeFiles(join(scratch, 'empty'), { 'wnids.txt': 'n01\n' });
    await expect(readTinyImagenet(dataOf('tiny-imagenet', folder))).rejects.toThrow(/lacks words\.txt/);
  });
});
