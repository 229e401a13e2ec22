/** Pictures of many small images: their pixels, how far the images stand apart, and how one is drawn. */

/** Pixels of 8 bits, row by row, channels last. */
export interface Sheet {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
}

/** Screen pixels between images. */
export const GAP = 2;
/** Grey stands out from dark and from light images, on a light and on a dark page. */
const BACKGROUND = 128;
/** Small images are enlarged until they are about so many pixels wide. */
const CELL = 56;

/** Screen pixels per pixel of an image that is `width` pixels wide. */
export const enlargement = (width: number): number => Math.max(1, Math.round(CELL / width));

/** A share of the range from black to white as a level of 8 bits; what lies outside is cut off. */
export const levelOf = (share: number): number => Math.round(255 * Math.min(Math.max(share, 0), 1));

/** A sheet with no image on it yet. */
export function emptySheet(width: number, height: number, channels: 1 | 3): Sheet {
  return { pixels: new Uint8Array(width * height * channels).fill(BACKGROUND), width, height, channels };
}

/** An image on a sheet: its upper left corner in screen pixels, its size in its own, and screen pixels for each of these. */
export interface Cell {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly scale: number;
}

/** Draws an image. `levelAt` gives a channel's level of 8 bits; `pixel` counts row by row within the image. */
export function drawCell(
  sheet: Sheet,
  { left, top, width, height, scale }: Cell,
  levelAt: (channel: number, pixel: number) => number,
): void {
  for (let channel = 0; channel < sheet.channels; channel++) {
    for (let y = 0; y < height * scale; y++) {
      const row = Math.floor(y / scale) * width;
      for (let x = 0; x < width * scale; x++) {
        const at = ((top + y) * sheet.width + left + x) * sheet.channels + channel;
        sheet.pixels[at] = levelAt(channel, row + Math.floor(x / scale));
      }
    }
  }
}
