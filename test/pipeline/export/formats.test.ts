import { unzipSync } from 'fflate';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../../src/errors.js';
import { resolveConfig } from '../../../src/pipeline/config/resolve.js';
import { decodeSet } from '../../../src/pipeline/evaluate/givenSet.js';
import { dataCard } from '../../../src/pipeline/export/card.js';
import type { ExportedSet } from '../../../src/pipeline/export/exportedSet.js';
import { clippedShare, exportedFiles } from '../../../src/pipeline/export/formats.js';
import { decodeNpy } from '../../../src/pipeline/store/npy.js';

/** Two colour images of 2 × 3 pixels; one number of each lies outside what a picture shows. */
const set: ExportedSet = {
  images: Float32Array.from({ length: 2 * 3 * 6 }, (_, k) => (k % 18 === 0 ? -0.5 : (k % 18) / 17)),
  targets: Float32Array.of(1, 2, 3, 4),
  count: 2,
  image: [3, 2, 3],
  representation: 2,
  innerStep: 0.25,
  mean: [0.1, 0.2, 0.3],
  deviation: [0.5, 0.25, 0.125],
  config: resolveConfig({
    preset: 'tiny-test',
    sets: ['data.folder=/home/somebody/digits', 'targets.from=/home/somebody/targets.npy'],
  }),
  rows: [{ name: 'MKDT', labels: 0.05, mean: 0.845, deviation: 0.01, seeds: 3 }],
  snapshot: null,
};

describe('an exported set', () => {
  it('as safetensors is what evaluate reads: standardised again by the numbers in the file', async () => {
    const bytes = (await exportedFiles(set, 'safetensors')).get('synthetic.safetensors')!;
    const given = decodeSet(bytes, 'set');
    expect(given).toMatchObject({ count: 2, image: [3, 2, 3], innerStep: 0.25 });
    expect(given.targets).toEqual({ data: set.targets, representation: 2 });
    expect(given.images[0]).toBeCloseTo((-0.5 - 0.1) / 0.5, 6);
    expect(given.images[35]).toBeCloseTo((1 - 0.3) / 0.125, 5);
  });

  it('as npz holds the arrays under their names, unclipped', async () => {
    const archive = unzipSync((await exportedFiles(set, 'npz')).get('synthetic.npz')!);
    const arrays = Object.entries(archive).map(
      ([name, bytes]) => [name, decodeNpy(bytes, name).shape] as const,
    );
    expect(Object.fromEntries(arrays)).toEqual({
      'images.npy': [2, 3, 2, 3],
      'targets.npy': [2, 2],
      'innerStep.npy': [1],
      'mean.npy': [3],
      'deviation.npy': [3],
    });
    expect(decodeNpy(archive['images.npy']!, '').data).toEqual(set.images);
  });

  it('as png shows each image with its channels in place, cut off at black and white', async () => {
    const files = await exportedFiles(set, 'png');
    expect([...files.keys()]).toEqual(['images/00000.png', 'images/00001.png', 'targets.npy']);
    const { data, info } = await sharp(files.get('images/00000.png')!)
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect(info).toMatchObject({ width: 3, height: 2, channels: 3 });
    // The first pixel: red is below black, green is element 6 of 18, blue element 12.
    expect([...data.subarray(0, 3)]).toEqual([0, Math.round((255 * 6) / 17), Math.round((255 * 12) / 17)]);
    expect(clippedShare(set)).toBeCloseTo(2 / 36, 12);
  });

  it('has the same bytes each time', async () => {
    for (const format of ['safetensors', 'npz', 'png'] as const) {
      expect(await exportedFiles(set, format)).toEqual(await exportedFiles(set, format));
    }
  });

  it('refuses pictures of images that have two channels', async () => {
    const odd = { ...set, image: [2, 3, 3] as const };
    await expect(exportedFiles(odd, 'png')).rejects.toThrow(ShapeError);
    await expect(exportedFiles(odd, 'npz')).resolves.toBeDefined();
  });
});

describe('a data card', () => {
  const card = async (): Promise<string> => dataCard(set, ['png'], await exportedFiles(set, 'png'), '1.2.3');

  it('says what the set is, what it is worth and what pictures lose', async () => {
    const text = await card();
    expect(text).toContain('# mnist, distilled to 2 images');
    expect(text).toContain('| MKDT | 84.5\u00a0± 1.0 |'.replace('± ', '±\u00a0'));
    expect(text).toContain('5.56 % of this set');
    expect(text).toContain('Creative Commons Attribution-ShareAlike 3.0');
  });

  it('holds the settings, without where the data lay on the machine', async () => {
    const text = await card();
    expect(text).toContain('folder: digits');
    expect(text).toContain('from: targets.npy');
    expect(text).not.toContain('/home/somebody');
    const from: [string, string] = ['/home/somebody/train.npy', '/home/somebody/test.npy'];
    const two = { ...set, config: { ...set.config, targets: { from } } };
    const other = dataCard(two, ['png'], new Map(), '1.2.3');
    expect(other).toMatch(/- train\.npy\n +- test\.npy/);
    expect(other).not.toContain('/home/somebody');
  });

  it('names arrays only where a file holds them, and standardises in every recipe', async () => {
    const pictures = await card();
    expect(pictures).not.toMatch(/`images`: float32|`innerStep`/);
    expect(pictures).toContain('- α = 0.25, the learning rate');
    const tensors = dataCard(set, ['safetensors'], await exportedFiles(set, 'safetensors'), '1.2.3');
    expect(tensors).toMatch(/`images`: float32.*`innerStep`: α = 0\.25/s);
    expect(tensors).toContain('images = (images - mean[:, None, None]) / deviation[:, None, None]');
    expect(tensors).toContain('learning_rate = float(file.get_tensor("innerStep")[0])');
  });
});
