import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError, DataError } from '../../../src/errors.js';
import type { DataReport } from '../../../src/pipeline/data/inspect.js';
import { said } from '../../support/command.js';
import { idx, jpeg, png, writeFiles } from '../../support/imageFiles.js';

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hypergrad-data-command-'));
});
afterAll(() => rm(scratch, { recursive: true }));

const data = (...args: string[]): Promise<string> => said('data', ...args);
const report = async (...args: string[]) => JSON.parse(await data(...args, '--json')) as DataReport;

describe('hypergrad data', () => {
  it('tells what a folder of classes holds, and draws a picture of it', async () => {
    const folder = await writeFiles(join(scratch, 'classes'), {
      'train/cat/1.png': await png({ colour: [255, 0, 51] }),
      'train/cat/2.png': await png({ colour: [255, 0, 51] }),
      'train/dog/1.png': await png({ colour: [255, 0, 51] }),
      'val/dog/1.png': await png({ colour: [0, 0, 0] }),
    });
    const sheet = join(scratch, 'sheet.png');
    const text = await data(folder, '--out', sheet);
    expect(text).toContain('folder (PNG and JPEG files)');
    expect(text).toMatch(/training +3 images\ntest +1 images/);
    expect(text).toContain('4×4 pixels, in colour');
    expect(text).toContain('1.0000, 0.0000, 0.2000 of 1, over all training images');
    expect(text).toContain('2: cat 2 + 0, dog 1 + 1');
    expect(text).toContain('data:\n  source: folder\n');
    const { width, height, channels } = await sharp(sheet).metadata();
    // Two columns and rows of 4-pixel images, 14 times enlarged, with gaps of 2.
    expect([width, height, channels]).toEqual([2 * 58 + 2, 2 * 58 + 2, 3]);
    const pixels = await sharp(sheet).raw().toBuffer();
    expect([...pixels.subarray((2 * 118 + 2) * 3, (2 * 118 + 2) * 3 + 3)]).toEqual([255, 0, 51]);
  });

  it('says what to set where sizes differ and where all is gray', async () => {
    const folder = await writeFiles(join(scratch, 'mixed'), {
      '1.jpg': await jpeg({ channels: 1, width: 30, height: 20 }),
      '2.png': await png({ channels: 1, width: 40, height: 40 }),
      '3.png': await png({ channels: 1, width: 40, height: 40 }),
    });
    const found = await report(folder);
    expect(found.sizes).toEqual([
      { height: 40, width: 40, images: 2 },
      { height: 20, width: 30, images: 1 },
    ]);
    expect(found.settings).toMatchObject({ resize: { side: 16, rule: 'cover' }, channels: 'gray' });
    expect(found.remarks[0]).toMatch(/2 sizes, such as 40×40 \(2\) and 20×30 \(1\)\. Set data\.resize\.side/);
    expect(found.remarks[1]).toMatch(/no accuracy/);
    expect(found).toMatchObject({ train: 3, test: null, classes: [], image: [3, 16, 16], isColour: false });
  });

  it('knows IDX files, and the classes that have no images', async () => {
    const folder = await writeFiles(join(scratch, 'idx'), {
      images: idx([2, 1, 2], [0, 255, 0, 255]),
      labels: idx([2], [1, 2]),
    });
    const found = await report(folder);
    expect(found).toMatchObject({
      source: 'idx',
      image: [1, 1, 2],
      mean: [0.5],
      deviation: [0.5],
      measured: 2,
    });
    expect(found.classes.map(({ train }) => train)).toEqual([0, 1, 1]);
    expect(found.remarks).toEqual(['No training image has the class 0.']);
  });

  it('names a damaged file', async () => {
    const folder = await writeFiles(join(scratch, 'damaged'), { '1.png': await png(), '2.png': 'no image' });
    await expect(data(folder)).rejects.toThrow(DataError);
    await expect(data(folder)).rejects.toThrow(/2\.png is no whole PNG or JPEG image/);
  });

  it('refuses a folder that does not exist, another source than it holds, and a picture that is no .png', async () => {
    await expect(data(join(scratch, 'gone'))).rejects.toThrow(/gone does not exist/);
    const folder = await writeFiles(join(scratch, 'plain'), { '1.png': await png() });
    await expect(data(folder, '--source', 'cifar10')).rejects.toThrow(/lacks data_batch_1\.bin/);
    await expect(data(folder, '--out', 'a.jpg')).rejects.toThrow(ConfigError);
  });
});
