/** A picture of a few images of every class, for a first look at a dataset. */
import { DataError } from '../../errors.js';
import { encodePng } from '../store/png.js';
import type { RawImages } from './rawImages.js';

/** Images a row, and rows: one a class, as many as can be looked at. */
const COLUMNS = 10;
const MOST_ROWS = 20;
/** Small images are enlarged until they are about so many pixels wide. */
const CELL = 56;
const GAP = 2;
/** A picture of more bytes is not made. */
const LARGEST_SHEET = 2 ** 28;
/** Grey stands out from dark and from light images. */
const BACKGROUND = 128;

/** Numbers of the first images of each class, a row a class; without labels the first images, row by row. */
function sampleRows({ labels, count }: Pick<RawImages, 'labels' | 'count'>, classes: number): number[][] {
  if (labels === null) {
    const shown = Math.min(count, COLUMNS * COLUMNS);
    return Array.from({ length: Math.ceil(shown / COLUMNS) }, (_, row) =>
      Array.from({ length: Math.min(COLUMNS, shown - row * COLUMNS) }, (_, k) => row * COLUMNS + k),
    );
  }
  const rows: number[][] = Array.from({ length: classes }, () => []);
  for (let image = 0; image < count; image += 1) {
    const row = rows[labels[image]!]!;
    if (row.length < COLUMNS) row.push(image);
  }
  return rows.filter((row) => row.length > 0).slice(0, MOST_ROWS);
}

/** A PNG file's bytes: the images of `sampleRows`. Throws `DataError` where one cannot be decoded. */
export async function sampleSheet(images: RawImages, classes: number): Promise<Uint8Array> {
  const channels = images.channels === 1 ? 1 : 3;
  const { height, width } = images;
  const rows = sampleRows(images, classes);
  const scale = Math.max(1, Math.round(CELL / width));
  const columns = Math.max(...rows.map((row) => row.length));
  const sheetWidth = columns * (width * scale + GAP) + GAP;
  const sheetHeight = rows.length * (height * scale + GAP) + GAP;
  if (sheetWidth * sheetHeight * channels > LARGEST_SHEET) {
    throw new DataError(
      `Images of ${height}×${width} pixels are too large for a picture of ${rows.length} rows of them. Leave --out away.`,
    );
  }
  const sheet = new Uint8Array(sheetWidth * sheetHeight * channels).fill(BACKGROUND);
  const elements = channels * height * width;
  for (const [row, numbers] of rows.entries()) {
    const pixels = await images.read(Int32Array.from(numbers));
    for (let column = 0; column < numbers.length; column += 1) {
      const left = GAP + column * (width * scale + GAP);
      const top = GAP + row * (height * scale + GAP);
      for (let y = 0; y < height * scale; y += 1) {
        for (let x = 0; x < width * scale; x += 1) {
          const from = column * elements + Math.floor(y / scale) * width + Math.floor(x / scale);
          const to = ((top + y) * sheetWidth + left + x) * channels;
          for (let channel = 0; channel < channels; channel += 1) {
            sheet[to + channel] = pixels[from + channel * height * width]!;
          }
        }
      }
    }
  }
  return await encodePng(sheet, sheetWidth, sheetHeight, channels);
}
