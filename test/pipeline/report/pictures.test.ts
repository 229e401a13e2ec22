import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../../src/errors.js';
import { makePictures } from '../../../src/pipeline/report/pictures.js';
import type { Sheet } from '../../../src/pipeline/sheets.js';

/** Where the first pixel of the first image lies: behind the gap. */
const first = ({ pixels, width, channels }: Sheet, offset = 2): number[] => [
  ...pixels.slice((offset * width + offset) * channels, (offset * width + offset + 1) * channels),
];

/** One image of one pixel and so many channels, enlarged to a cell. */
const single = (before: number[], after: number[], deviation = 1) =>
  makePictures({
    before: Float32Array.from(before),
    after: Float32Array.from(after),
    count: 1,
    image: [before.length, 1, 1],
    mean: before.map(() => 0),
    deviation: before.map(() => deviation),
  });

describe('the pictures of a set', () => {
  it('show its images before and after in the scale of pixels', () => {
    const { before, after } = single([0.2], [1.5]);
    expect([before.channels, after.channels]).toEqual([1, 1]);
    expect(first(before)).toEqual([51]);
    expect(first(after)).toEqual([255]);
  });

  it.each([
    ['brighter', [0.2], [0.4], ([red, , blue]: number[]) => red! > blue!],
    ['darker', [0.4], [0.2], ([red, , blue]: number[]) => red! < blue!],
    ['unchanged', [0.4], [0.4], (levels: number[]) => levels.every((level) => level === 247)],
  ] as const)('show what became %s of grey images in a colour of its own', (_, before, after, holds) => {
    const { difference } = single([...before], [...after]);
    expect(difference.channels).toBe(3);
    expect(holds(first(difference))).toBe(true);
  });

  it('show differences of coloured images by channel around grey', () => {
    const { difference, scale } = single([0.5, 0.5, 0.5], [0.9, 0.5, 0.3]);
    // A hundredth of the way down from the largest difference to the next.
    expect(scale).toBeCloseTo(0.4 - 0.02 * 0.2, 6);
    expect(first(difference)).toEqual([255, 128, 63]);
  });

  it('say how large a difference is drawn at full strength: one that a hundredth of the pixels reach', () => {
    const count = 50;
    const before = new Float32Array(count * 4);
    const after = before.map((_, k) => (k === 3 ? 100 : 0.1 * (k % 2 === 0 ? 1 : -1)));
    const { scale } = makePictures({ before, after, count, image: [1, 2, 2], mean: [0], deviation: [0.5] });
    // In the scale of pixels; the one outlier of two hundred is beyond it.
    expect(scale).toBeCloseTo(0.05, 6);
    expect(single([0.3], [0.3]).scale).toBe(1 / 255);
  });

  it('show a hundred images of a larger set, evenly spaced', () => {
    const count = 250;
    const images = Float32Array.from({ length: count }, (_, k) => k / 250);
    const { shown, before, ...all } = makePictures({
      before: images,
      after: images,
      count,
      image: [1, 1, 1],
      mean: [0],
      deviation: [1],
    });
    expect([shown, all.count]).toEqual([100, 250]);
    // Ten by ten cells of 56 pixels with gaps between.
    expect([before.width, before.height]).toEqual([10 * 58 + 2, 10 * 58 + 2]);
    expect(before.pixels[2 * before.width + 2 + 58]).toBe(Math.round((255 * 2) / 250));
  });

  it('refuse what does not fit', () => {
    expect(() => single([0, 0], [0, 0])).toThrow(ShapeError);
    expect(() =>
      makePictures({
        before: new Float32Array(4),
        after: new Float32Array(3),
        count: 1,
        image: [1, 2, 2],
        mean: [0],
        deviation: [1],
      }),
    ).toThrow(ShapeError);
  });
});
