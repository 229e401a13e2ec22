import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { said } from '../../support/command.js';

let scratch = '';
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hypergrad-preview-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const preview = (...args: string[]): Promise<string> =>
  said('preview', 'augmentations', '--preset', 'tiny-test', ...args);

describe('hypergrad preview augmentations', () => {
  it('writes a picture of images and views, and says where', async () => {
    const out = join(scratch, 'views.png');
    expect(await preview('--images', '2', '--views', '3', '--out', out)).toContain(out);
    const picture = await sharp(await readFile(out)).metadata();
    // 7×7 pixels, each enlarged eight times.
    expect([picture.width, picture.height]).toEqual([2 + 4 * 56 + 8 + 2 * 2 + 2, 2 * 58 + 2]);
  });

  it.each([
    [['--images', '0'], /--images "0" must be a whole number from 1 to 32/],
    [['--views', 'many'], /--views "many" must be a whole number/],
    [['--out', 'views.jpg'], /--out "views\.jpg" must be the name of a \.png file/],
  ])('refuses %j', async (args, message) => {
    await expect(preview(...args)).rejects.toThrow(message);
  });

  it('says that a picture cannot be written where there is no folder', async () => {
    const out = join(scratch, 'nowhere', 'views.png');
    await expect(preview('--images', '1', '--views', '1', '--out', out)).rejects.toThrow(
      /cannot be written: its folder does not exist\. Name a file in a folder that exists/,
    );
  });
});
