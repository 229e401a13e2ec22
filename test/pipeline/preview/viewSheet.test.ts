import { describe, expect, it } from 'vitest';
import { resolveConfig } from '../../../src/pipeline/config/resolve.js';
import type { Dataset } from '../../../src/pipeline/data/dataset.js';
import { drawPreview, previewSheet, viewSheet } from '../../../src/pipeline/preview/viewSheet.js';
import { expectNear, numbers } from '../../support/compare.js';
import { useDevice } from '../../support/device.js';
import { imageSetOf } from '../../support/imageSet.js';

const openedDevice = useDevice();
const image = [3, 4, 5] as const;
const size = 60;
const set = imageSetOf(numbers(1, 'images', 3 * size), null, 3);
const dataset: Dataset = {
  name: 'made',
  image,
  classes: [],
  train: set,
  test: set,
  mean: [0.5, 0.4, 0.3],
  deviation: [0.25, 0.2, 0.1],
  close() {},
};
const configOf = (...sets: string[]) =>
  resolveConfig({ preset: 'tiny-test', sets: sets.map((each) => `teacher.augmentation.${each}`) });
const still = ['rotation=0', 'cropScale=[1, 1]', 'contrast=0', 'brightness=0', 'noise=0'];

describe('a preview of augmentations', () => {
  it('shows each image several times, unchanged where nothing is drawn', async () => {
    const views = await drawPreview(await openedDevice(), configOf(...still), dataset, {
      images: 2,
      views: 3,
    });
    const wanted = [0, 0, 0, 1, 1, 1].flatMap((number) => [
      ...set.images.subarray(number * size, (number + 1) * size),
    ]);
    expectNear(views, wanted);
  });

  it('shows other views of an image beside each other, and the same again by the same seed', async () => {
    const draw = async () =>
      await drawPreview(await openedDevice(), configOf('blur=0.5', 'hue=0.2'), dataset, {
        images: 1,
        views: 2,
      });
    const views = await draw();
    expect(views.slice(0, size)).not.toEqual(views.slice(size));
    expect(await draw()).toEqual(views);
  });

  it('has no more rows than there are images', async () => {
    const device = await openedDevice();
    const sheet = await previewSheet(device, configOf(), dataset, { images: 8, views: 2 });
    expect(sheet.height).toBe(3 * (4 * 11 + 2) + 2);
    expect(sheet.pixels).toHaveLength(sheet.width * sheet.height * 3);
  });
});

describe('its picture', () => {
  it('holds the image on the left and the views behind a gap, de-standardised and cut to what can be shown', () => {
    const tiny = { image: [1, 1, 56] as const, mean: [0.5], deviation: [0.25] };
    const row = (value: number) => new Float32Array(56).fill(value);
    // 0.5 + 0.25·0 = 0.5; 0.5 + 0.25·1 = 0.75; far above 1.
    const sheet = viewSheet(tiny, row(0), Float32Array.of(...row(1), ...row(99)));
    expect([sheet.channels, sheet.height]).toEqual([1, 5]);
    expect(sheet.width).toBe(2 + 56 + 8 + 56 + 2 + 56 + 2);
    const middle = [...sheet.pixels.subarray(2 * sheet.width, 3 * sheet.width)];
    const runs = middle.reduce<[number, number][]>((found, level) => {
      const last = found.at(-1);
      if (last?.[0] === level) last[1]++;
      else found.push([level, 1]);
      return found;
    }, []);
    // The image of 0.5 has the background's level.
    expect(runs).toEqual([
      [128, 2 + 56 + 8],
      [191, 56],
      [128, 2],
      [255, 56],
      [128, 2],
    ]);
  });
});
