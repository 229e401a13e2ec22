/** Single pictures (PNG, JPEG) as planar bytes. */
import sharp from 'sharp';
import { DataError } from '../../errors.js';
import type { Config } from '../config/schema.js';
import { mapBounded, readBytes } from './folders.js';
import type { RawImages } from './rawImages.js';

/** Pictures with more pixels are not decoded: a small file can claim to hold gigabytes. */
const MOST_PIXELS = 2 ** 26;
/** Files that are read and decoded at a time; the libraries have four threads. */
const AT_ONCE = 8;
const IMAGE_NAME = /\.(png|jpe?g)$/i;
/** What is outside a contained picture, and behind a transparent one. */
const BACKGROUND = { r: 0, g: 0, b: 0 };
/** The names of sharp for the rules: `stretch` is what it calls `fill`. */
const FIT = { cover: 'cover', contain: 'contain', stretch: 'fill' } as const;

/** Whether the name is that of a file which `decodeImage` reads. */
export const isImageName = (name: string): boolean => IMAGE_NAME.test(name);

/** How pictures are brought to one form. */
export interface ImageForm {
  readonly channels: 1 | 3;
  readonly resize: Config['data']['resize'];
}

/** [channels, height, width], 0 … 255. */
export interface PlanarImage {
  readonly pixels: Uint8Array;
  readonly height: number;
  readonly width: number;
}

function undecodable(path: string, error: unknown): DataError {
  const reason = (error as Error).message.trim().replace(/\.$/, '');
  return new DataError(
    `${path} is no whole PNG or JPEG image (${reason}). Replace it, or take it out of the folder.`,
    { cause: error },
  );
}

/**
 * Decodes a file: turned upright as its EXIF entry says, resized by the rule, transparent parts black, as red, green and
 * blue or as brightness alone. Throws `DataError`, naming the file, where it is damaged or larger than 2²⁶ pixels.
 */
export async function decodeImage(path: string, { channels, resize }: ImageForm): Promise<PlanarImage> {
  const bytes = await readBytes(path);
  const { side, rule } = resize;
  try {
    // Warnings count: a JPEG with damaged data decodes to something, but not to the picture.
    let picture = sharp(bytes, { failOn: 'warning', limitInputPixels: MOST_PIXELS }).autoOrient();
    if (side !== null) {
      picture = picture.resize(side, side, { fit: FIT[rule], background: BACKGROUND });
    }
    const { data, info } = await picture
      .flatten({ background: BACKGROUND })
      .toColourspace(channels === 1 ? 'b-w' : 'srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== channels) {
      throw new Error(`it decodes to ${info.channels} channels, where ${channels} are expected`);
    }
    const { height, width } = info;
    return { pixels: toPlanes(data, channels), height, width };
  } catch (error) {
    throw undecodable(path, error);
  }
}

/** Height and width as the header says, turned upright; nothing is decoded. Throws `DataError`, naming the file. */
export async function imageSize(path: string): Promise<{ height: number; width: number }> {
  const bytes = await readBytes(path);
  try {
    const { autoOrient } = await sharp(bytes, { limitInputPixels: MOST_PIXELS }).metadata();
    return { height: autoOrient.height, width: autoOrient.width };
  } catch (error) {
    throw undecodable(path, error);
  }
}

/** `imageSize` of many files, a few at a time. */
export const imageSizes = (paths: readonly string[]) => mapBounded(paths, AT_ONCE, imageSize);

function toPlanes(interleaved: Uint8Array, channels: number): Uint8Array {
  if (channels === 1) return interleaved;
  const area = interleaved.length / channels;
  const planes = new Uint8Array(interleaved.length);
  for (let pixel = 0; pixel < area; pixel += 1) {
    for (let channel = 0; channel < channels; channel += 1) {
      planes[channel * area + pixel] = interleaved[pixel * channels + channel]!;
    }
  }
  return planes;
}

/** Files that are to be images of one size. */
export interface FileImages {
  readonly paths: readonly string[];
  readonly labels: Int32Array | null;
  readonly form: ImageForm;
  /** The size of all, and the file that it was seen on. */
  readonly size: { readonly height: number; readonly width: number; readonly of: string };
}

/** The size that files of this form have: as the rule says, else the first file's. Throws `DataError`. */
export async function sizeOfAll(
  paths: readonly string[],
  { resize }: ImageForm,
): Promise<FileImages['size']> {
  const of = paths[0]!;
  return resize.side === null
    ? { ...(await imageSize(of)), of }
    : { height: resize.side, width: resize.side, of };
}

/**
 * Images that are decoded when they are read. A read throws `DataError` for a damaged file, and where a file's size is
 * another than the rest's.
 */
export function imagesOfFiles({ paths, labels, form, size }: FileImages): RawImages {
  const { height, width, of } = size;
  const elements = form.channels * height * width;
  return {
    count: paths.length,
    channels: form.channels,
    height,
    width,
    labels,
    async read(indices) {
      const bytes = new Uint8Array(indices.length * elements);
      await mapBounded(indices, AT_ONCE, async (index, place) => {
        const path = paths[index]!;
        const image = await decodeImage(path, form);
        if (image.height !== height || image.width !== width) {
          throw new DataError(
            `${path} has ${image.height}×${image.width} pixels, ${of} has ${height}×${width}: images of different sizes. Set data.resize.side to the number of pixels that height and width shall have, and data.resize.rule to cover, contain or stretch.`,
          );
        }
        bytes.set(image.pixels, place * elements);
      });
      return bytes;
    },
  };
}
