/**
 * Small pictures in a terminal, two pixels a character: the upper half block in two colours. Synthetic images are so small that this
 * shows every pixel, in any terminal that has colours; inline images of some terminals would need a library for each, and a scale.
 */
import type { WriteStream } from 'node:tty';
import { LUMINANCE } from '../../autograd/ops/warp.js';
import type { SyntheticImages } from '../../pipeline/watch/synthetic.js';

/** What a terminal can show. */
export type Colours = 'rgb' | '256' | 'none';

/** Pixels row by row; null is the terminal's own background. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly pixels: readonly (Rgb | null)[];
}

type Rgb = readonly [red: number, green: number, blue: number];

/** Colours of a stream; NO_COLOR, FORCE_COLOR and TERM are read by Node. */
export function coloursOf(
  stream: Pick<WriteStream, 'getColorDepth'> & { readonly isTTY?: boolean },
): Colours {
  const depth = stream.isTTY ? stream.getColorDepth() : 1;
  return depth >= 24 ? 'rgb' : depth >= 8 ? '256' : 'none';
}

/** Pixels between images. */
const GAP = 1;
/** Images are made no smaller than this, in pixels. */
const SMALLEST = 7;
/** Shares of the values that become black and white. */
const [DARKEST, LIGHTEST] = [0.01, 0.99];

/**
 * The images side by side in rows, as many as fit: averaged down where that shows them all, but not below seven pixels. Their values
 * are standardised, so brightness is stretched to their own range.
 *
 * @param width pixels that there are
 * @param height the same
 */
export function mosaic({ count, image, data }: SyntheticImages, width: number, height: number): Picture {
  const [channels, imageHeight, imageWidth] = image;
  const layoutAt = (factor: number) => {
    const [cellWidth, cellHeight] = [imageWidth, imageHeight].map((side) => Math.ceil(side / factor)) as [
      number,
      number,
    ];
    const columns = Math.max(1, Math.min(count, Math.floor((width + GAP) / (cellWidth + GAP))));
    const rows = Math.max(1, Math.floor((height + GAP) / (cellHeight + GAP)));
    return { factor, cellWidth, cellHeight, columns, rows: Math.min(rows, Math.ceil(count / columns)) };
  };
  let layout = layoutAt(1);
  while (
    layout.columns * layout.rows < count &&
    Math.min(imageHeight, imageWidth) / (layout.factor + 1) >= SMALLEST
  ) {
    layout = layoutAt(layout.factor + 1);
  }
  const { factor, cellWidth, cellHeight, columns, rows } = layout;
  const sorted = data.toSorted();
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))]!;
  const [low, high] = [at(DARKEST), at(LIGHTEST)];
  const level = (value: number): number =>
    Math.round(255 * Math.min(1, Math.max(0, (value - low) / (high - low || 1))));
  /** Mean over a square of pixels. */
  const valueAt = (index: number, channel: number, y: number, x: number): number => {
    const plane = (index * channels + channel) * imageHeight * imageWidth;
    let [sum, pixels] = [0, 0];
    for (let row = y * factor; row < Math.min((y + 1) * factor, imageHeight); row++) {
      for (let column = x * factor; column < Math.min((x + 1) * factor, imageWidth); column++) {
        sum += data[plane + row * imageWidth + column]!;
        pixels += 1;
      }
    }
    return level(sum / pixels);
  };

  const [fullWidth, fullHeight] = [columns * (cellWidth + GAP) - GAP, rows * (cellHeight + GAP) - GAP];
  const pixels: (Rgb | null)[] = Array(fullWidth * fullHeight).fill(null);
  for (let index = 0; index < Math.min(count, columns * rows); index++) {
    const [left, top] = [
      (index % columns) * (cellWidth + GAP),
      Math.floor(index / columns) * (cellHeight + GAP),
    ];
    for (let y = 0; y < cellHeight; y++) {
      for (let x = 0; x < cellWidth; x++) {
        const of = (channel: number): number => valueAt(index, Math.min(channel, channels - 1), y, x);
        pixels[(top + y) * fullWidth + left + x] = [of(0), of(1), of(2)];
      }
    }
  }
  return { width: fullWidth, height: fullHeight, pixels };
}

const ESCAPE = '\u001b[';
const SHADES = ' ░▒▓█';

/** The nearest colour of the usual palette of 256: its cube of six levels, or its 24 grays. */
function paletteIndex([red, green, blue]: Rgb): number {
  if (red === green && green === blue) {
    return red < 4 ? 16 : red > 246 ? 231 : 232 + Math.min(23, Math.round((red - 8) / 10));
  }
  const [r, g, b] = [red, green, blue].map((value) => Math.round((value / 255) * 5)) as [
    number,
    number,
    number,
  ];
  return 16 + 36 * r + 6 * g + b;
}

const [RED, GREEN, BLUE] = LUMINANCE;

const brightness = (colour: Rgb | null): number =>
  colour === null ? 0 : (RED * colour[0] + GREEN * colour[1] + BLUE * colour[2]) / 255;

/** A picture as lines of text; the last row of an odd number stands alone. */
export function halfBlocks({ width, height, pixels }: Picture, colours: Colours): string[] {
  const code = (ground: 38 | 48, colour: Rgb): string =>
    colours === 'rgb' ? `${ground};2;${colour.join(';')}` : `${ground};5;${paletteIndex(colour)}`;
  const character = (upper: Rgb | null, lower: Rgb | null): string => {
    if (upper === null && lower === null) return ' ';
    if (colours === 'none') {
      const mean = (brightness(upper) + brightness(lower)) / 2;
      return SHADES[Math.min(SHADES.length - 1, Math.floor(mean * SHADES.length))]!;
    }
    const [block, front, back] = upper === null ? ['▄', lower!, null] : (['▀', upper, lower] as const);
    const behind = back === null ? '' : `;${code(48, back as Rgb)}`;
    return `${ESCAPE}${code(38, front as Rgb)}${behind}m${block}${ESCAPE}0m`;
  };
  return Array.from({ length: Math.ceil(height / 2) }, (_, line) =>
    Array.from({ length: width }, (_, x) =>
      character(pixels[2 * line * width + x]!, pixels[(2 * line + 1) * width + x] ?? null),
    ).join(''),
  );
}
