import { existsSync } from 'node:fs';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DataError } from '../../../src/errors.js';
import { recogniseSource } from '../../../src/pipeline/data/sources.js';
import { idx, png, writeFiles } from '../../support/imageFiles.js';

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hypergrad-sources-'));
});
afterAll(() => rm(scratch, { recursive: true }));

describe('recogniseSource', () => {
  it('tells the sources apart by what lies in the folder', async () => {
    const image = await png();
    const known = {
      cifar10: { 'data_batch_1.bin': '' },
      cifar100: { 'train.bin': '', 'fine_label_names.txt': '' },
      'tiny-imagenet': { 'wnids.txt': '', 'train/n01/images/a.JPEG': image },
      idx: { 'images.gz': gzipSync(idx([1, 2, 2], [1, 2, 3, 4])), 'README.txt': 'about' },
      folder: { 'train/cat/1.png': image },
      flat: { '1.png': image },
      'one folder a class': { 'cat/1.png': image },
    };
    for (const [name, files] of Object.entries(known)) {
      const folder = await writeFiles(join(scratch, name), files);
      const source = name === 'flat' || name === 'one folder a class' ? 'folder' : name;
      expect(await recogniseSource(folder)).toBe(source);
    }
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ['an archive', { 'cifar-10-binary.tar.gz': '' }, /Unpack cifar-10-binary\.tar\.gz first/],
    ['the Python version', { data_batch_1: '', test_batch: '' }, /fetch its binary version/],
    [
      'a folder one level too high',
      { 'inner/data_batch_1.bin': '' },
      /folder inner looks like cifar10: give/,
    ],
    ['nothing known', { 'a.txt': '' }, /Known are/],
  ])('says what to do about %s', async (name, files, message) => {
    const folder = await writeFiles(join(scratch, name), files);
    const attempt = recogniseSource(folder);
    await expect(attempt).rejects.toThrow(DataError);
    await expect(attempt).rejects.toThrow(message);
  });

  it('is not led round in circles by links', async () => {
    const folder = await writeFiles(join(scratch, 'circles'), { 'a.txt': '', 'inner/b.txt': '' });
    for (const name of ['one', 'two', 'train', 'inner/three']) await symlink('.', join(folder, name));
    await expect(recogniseSource(folder)).rejects.toThrow(/Known are/);
  });

  const real = '../shared/data/cifar-10-batches-bin';
  it.skipIf(!existsSync(real))('knows the official files (skipped where they are missing)', async () => {
    expect(await recogniseSource(real)).toBe('cifar10');
  });
});
