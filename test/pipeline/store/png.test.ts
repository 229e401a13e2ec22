import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../../src/errors.js';
import { encodePng } from '../../../src/pipeline/store/png.js';

describe('encodePng', () => {
  it.each([1, 3] as const)('keeps every pixel of %i channels', async (channels) => {
    const pixels = Uint8Array.from({ length: 5 * 4 * channels }, (_, index) => (index * 53) % 256);
    const bytes = await encodePng(pixels, 5, 4, channels);
    expect([...bytes.subarray(0, 8)]).toEqual([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
    const metadata = await sharp(bytes).metadata();
    expect(metadata).toMatchObject({ width: 5, height: 4, channels });
    const colourspace = channels === 1 ? 'b-w' : 'srgb';
    expect(Uint8Array.from(await sharp(bytes).toColourspace(colourspace).raw().toBuffer())).toEqual(pixels);
  });

  it('gives the same bytes twice', async () => {
    const pixels = Uint8Array.from({ length: 48 }, (_, index) => index);
    expect(await encodePng(pixels, 4, 4, 3)).toEqual(await encodePng(pixels, 4, 4, 3));
  });

  it('refuses pixels that do not fit the size', async () => {
    await expect(encodePng(new Uint8Array(11), 2, 2, 3)).rejects.toThrow(ShapeError);
    await expect(encodePng(new Uint8Array(0), 0, 2, 3)).rejects.toThrow(/0×2 pixels/);
  });
});
