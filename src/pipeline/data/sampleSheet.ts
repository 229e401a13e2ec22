/** A picture of a few images of every class, for a first look at a dataset. */
import { DataError } from '../../errors.js';
import { drawCell, emptySheet, enlargement, GAP } from '../sheets.js';
import { encodePng } from '../store/png.js';
import type { RawImages } from './rawImages.js';

/** Images a row, and rows: one a class, as many as can be looked at. */
const COLUMNS = 10;
const MOST_ROWS = 20;
/** A picture of more bytes is not made. */
const LARGEST_SHEET = 2 ** 28;

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
  const scale = enlargement(width);
  const columns = Math.max(...rows.map((row) => row.length));
  const sheetWidth = columns * (width * scale + GAP) + GAP;
  const sheetHeight = rows.length * (height * scale + GAP) + GAP;
  if (sheetWidth * sheetHeight * channels > LARGEST_SHEET) {
    throw new DataError(
      `Images of ${height}×${width} pixels are too large for a picture of ${rows.length} rows of them. Leave --out away.`,
    );
  }
  const sheet = emptySheet(sheetWidth, sheetHeight, channels);
  const elements = channels * height * width;
  for (const [row, numbers] of rows.entries()) {
    const pixels = await images.read(Int32Array.from(numbers));
    for (let column = 0; column < numbers.length; column += 1) {
      const left = GAP + column * (width * scale + GAP);
      const top = GAP + row * (height * scale + GAP);
      const first = column * elements;
      drawCell(
        sheet,
        { left, top, width, height, scale },
        (channel, pixel) => pixels[first + channel * height * width + pixel]!,
      );
    }
  }
  return await encodePng(sheet.pixels, sheetWidth, sheetHeight, channels);
}
