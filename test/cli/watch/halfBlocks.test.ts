import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coloursOf, halfBlocks, mosaic, type Picture } from '../../../src/cli/watch/halfBlocks.js';

const of = (count: number, image: [number, number, number], data?: Float32Array) => ({
  count,
  image,
  data:
    data ?? Float32Array.from({ length: count * image[0] * image[1] * image[2] }, (_, k) => (k * 37) % 101),
  file: '',
  time: 0,
});

describe('mosaic', () => {
  it('puts images side by side with a pixel between them, stretched to black and white', () => {
    const { width, height, pixels } = mosaic(of(2, [1, 1, 2], Float32Array.of(-1, 0, 0, 1)), 80, 40);
    expect([width, height]).toEqual([5, 1]);
    expect(pixels).toEqual([[0, 0, 0], [128, 128, 128], null, [128, 128, 128], [255, 255, 255]]);
  });

  it('takes three channels for red, green and blue', () => {
    const { pixels } = mosaic(of(1, [3, 1, 2], Float32Array.of(0, 1, 1, 0, 0, 0)), 80, 40);
    expect(pixels).toEqual([
      [0, 255, 0],
      [255, 0, 0],
    ]);
  });

  it('averages images down until all fit, and then shows as many as fit', () => {
    expect(mosaic(of(4, [1, 28, 28]), 59, 59)).toMatchObject({ width: 57, height: 57 });
    expect(mosaic(of(4, [1, 28, 28]), 59, 30)).toMatchObject({ width: 59, height: 14 });
    expect(mosaic(of(100, [1, 28, 28]), 16, 16)).toMatchObject({ width: 15, height: 15 });
  });

  it('makes pictures of whole pixels of any images in any place', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.constantFrom(1 as const, 3 as const),
        fc.integer({ min: 1, max: 33 }),
        fc.integer({ min: 1, max: 33 }),
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 100 }),
        (count, channels, rows, columns, width, height) => {
          const picture = mosaic(of(count, [channels, rows, columns]), width, height);
          expect(picture.pixels).toHaveLength(picture.width * picture.height);
          for (const pixel of picture.pixels) {
            for (const level of pixel ?? []) expect(level >= 0 && level <= 255).toBe(true);
          }
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('halfBlocks', () => {
  const picture: Picture = {
    width: 2,
    height: 3,
    pixels: [[255, 0, 0], null, [0, 0, 255], [0, 255, 0], [255, 255, 255], null],
  };

  it('draws two pixels a character in colours, and leaves gaps free', () => {
    const start = '\u001b[';
    expect(halfBlocks(picture, 'rgb')).toEqual([
      `${start}38;2;255;0;0;48;2;0;0;255m▀${start}0m${start}38;2;0;255;0m▄${start}0m`,
      `${start}38;2;255;255;255m▀${start}0m `,
    ]);
  });

  it('takes the nearest of 256 colours, grays among them', () => {
    expect(
      halfBlocks(
        {
          width: 1,
          height: 2,
          pixels: [
            [255, 0, 0],
            [128, 128, 128],
          ],
        },
        '256',
      ),
    ).toEqual(['\u001b[38;5;196;48;5;244m▀\u001b[0m']);
  });

  it('draws in shades without an escape sequence where there is no colour', () => {
    const lines = halfBlocks(picture, 'none');
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(line).toMatch(/^[ ░▒▓█]{2}$/);
  });
});

describe('coloursOf', () => {
  it('goes by the depth of a terminal, and has none elsewhere', () => {
    const stream = (depth: number, isTTY: boolean) => ({ isTTY, getColorDepth: () => depth });
    expect([24, 8, 4, 1].map((depth) => coloursOf(stream(depth, true)))).toEqual([
      'rgb',
      '256',
      'none',
      'none',
    ]);
    expect(coloursOf(stream(24, false))).toBe('none');
  });
});
