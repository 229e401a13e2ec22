import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../../src/errors.js';
import { type ContactSheetInput, contactSheet } from '../../../src/pipeline/report/contactSheet.js';

const GREY = 128;

/** Five 2 × 3 images of the levels 0, 20, …, 80, and the same 100 levels higher. */
function greyInput(): ContactSheetInput {
  const before = Float32Array.from({ length: 30 }, (_, i) => (20 * Math.floor(i / 6)) / 255);
  return {
    before,
    after: before.map((value) => value + 100 / 255),
    count: 5,
    image: [1, 2, 3],
    mean: [0],
    deviation: [1],
    scale: 4,
  };
}

describe('contactSheet', () => {
  it('lays out two nearly square blocks with gaps', () => {
    const sheet = contactSheet(greyInput());
    // Blocks of 3 × 2 images of 12 × 8 pixels, 2 apart; the blocks 8 apart, and a margin of 2.
    expect(sheet).toMatchObject({ width: 2 + 40 + 8 + 40 + 2, height: 2 + 8 + 2 + 8 + 2, channels: 1 });
    expect(sheet.pixels).toHaveLength(sheet.width * sheet.height);
  });

  it('puts the starting images on the left and the synthetic ones in the same places on the right', () => {
    const { pixels, width } = contactSheet(greyInput());
    const at = (x: number, y: number) => pixels[y * width + x];
    for (let index = 0; index < 5; index++) {
      const left = 2 + (index % 3) * 14;
      const top = 2 + Math.floor(index / 3) * 10;
      for (const [x, y] of [
        [left, top],
        [left + 11, top + 7],
      ] as const) {
        expect(at(x, y)).toBe(20 * index);
        expect(at(x + 48, y)).toBe(20 * index + 100);
      }
      expect(at(left - 1, top)).toBe(GREY);
      expect(at(left + 12, top + 7)).toBe(GREY);
      expect(at(left, top + 8)).toBe(GREY);
    }
    // The sixth place of each block stays empty.
    expect(at(2 + 28, 12)).toBe(GREY);
    expect(at(2 + 28 + 48, 12)).toBe(GREY);
  });

  it('undoes the standardisation channel by channel, clamps, and interleaves the channels', () => {
    const sheet = contactSheet({
      before: Float32Array.of(-1, 0, 1),
      after: Float32Array.of(-9, 9, Number.NaN),
      count: 1,
      image: [3, 1, 1],
      mean: [0.5, 0.4, 0.2],
      deviation: [0.1, 0.2, 0.4],
      scale: 1,
    });
    const at = (x: number) => Array.from(sheet.pixels.subarray((2 * sheet.width + x) * 3).subarray(0, 3));
    expect(sheet).toMatchObject({ width: 2 + 1 + 8 + 1 + 2, height: 5, channels: 3 });
    expect(at(1)).toEqual([GREY, GREY, GREY]);
    expect(at(2)).toEqual([102, 102, 153]);
    expect(at(11)).toEqual([0, 255, 0]);
  });

  it('enlarges each pixel to a square without blending', () => {
    const { pixels, width } = contactSheet({
      ...greyInput(),
      before: Float32Array.of(0, 1, 1, 0),
      after: new Float32Array(4),
      count: 1,
      image: [1, 2, 2],
      scale: 2,
    });
    const row = (y: number) => Array.from(pixels.subarray(y * width + 2, y * width + 6));
    expect([2, 3, 4, 5].map(row)).toEqual([
      [0, 0, 255, 255],
      [0, 0, 255, 255],
      [255, 255, 0, 0],
      [255, 255, 0, 0],
    ]);
  });

  it('refuses parts that do not fit', () => {
    expect(() => contactSheet({ ...greyInput(), count: 4 })).toThrow(ShapeError);
    expect(() => contactSheet({ ...greyInput(), image: [2, 1, 3] })).toThrow(/1 or 3 channels, not of 2/);
    expect(() => contactSheet({ ...greyInput(), mean: [0, 0] })).toThrow(/2 means and 1 deviations/);
    expect(() => contactSheet({ ...greyInput(), scale: 0 })).toThrow(/positive integers/);
  });
});
