import { ShapeError } from '../../errors.js';
import { importSharp } from '../optionalImports.js';

/**
 * A PNG file's bytes from pixels row by row, channels interleaved, 0 … 255. The same pixels give the same
 * bytes. Throws `ShapeError` when the pixels do not fit the size, and `MissingPackageError`.
 */
export async function encodePng(
  pixels: Uint8Array,
  width: number,
  height: number,
  channels: 1 | 3,
): Promise<Uint8Array> {
  if (width < 1 || height < 1 || pixels.length !== width * height * channels) {
    throw new ShapeError(
      `A picture of ${width}×${height} pixels and ${channels} channels needs ${width * height * channels} bytes, and ${pixels.length} are given.`,
    );
  }
  const sharp = await importSharp();
  return await sharp(pixels, { raw: { width, height, channels } })
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .png({ compressionLevel: 9, adaptiveFiltering: false, palette: false })
    .toBuffer();
}
