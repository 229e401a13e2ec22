/** Single pictures (PNG, JPEG) as planar bytes. */
import { DataError } from '../../errors.js';
import type { Config } from '../config/schema.js';
import { importSharp } from '../optionalImports.js';
import { fileLimits } from '../store/boundedFile.js';
import { shown } from '../store/shownText.js';
import { readBytes } from './folders.js';
import { mapBounded } from './mapBounded.js';
import type { RawImages } from './rawImages.js';

/** Longer sides are no picture's. */
const LONGEST_SIDE = 2 ** 14;
/** Pixels of a picture that is used in its own size; nobody trains on more than a few hundred a side. */
const MOST_KEPT_PIXELS = 2 ** 22;
/** Larger pictures are decoded one at a time: some kinds of file need all their pixels in memory. */
const LARGE_PIXELS = 2 ** 22;
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

const undecodable = (path: string, reason: string, cause?: unknown): DataError =>
  new DataError(
    `${path} is no whole PNG or JPEG image (${reason}). Replace it, or take it out of the folder.`,
    { cause },
  );

/** The decoder says the same thing over and over, a line each. */
const reasonOf = (error: unknown): string => {
  const [first = ''] = (error as Error).message.trim().split('\n', 1);
  return shown(first.replace(/\.$/, ''));
};

/**
 * How the two formats begin, and how many pixels are decoded of each: a small file can claim to hold gigabytes. Cameras write
 * JPEG, which is scaled down while it is decoded.
 */
const FORMATS = [
  { signature: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a], mostPixels: 2 ** 24 },
  { signature: [0xff, 0xd8, 0xff], mostPixels: 2 ** 25 },
] as const;

/**
 * The decoder knows more formats than are read here, some of which lead to other files (SVG) or were never made for
 * strangers' data; it goes by a file's first bytes, so these decide.
 */
function formatOf(bytes: Uint8Array, path: string): (typeof FORMATS)[number] {
  const format = FORMATS.find(({ signature }) => signature.every((byte, k) => bytes[k] === byte));
  if (format === undefined) throw undecodable(path, 'it does not begin as either');
  return format;
}

interface Size {
  readonly height: number;
  readonly width: number;
}

/** Height and width as the header says, turned upright. */
async function sizeOf(bytes: Uint8Array, path: string): Promise<Size> {
  const { mostPixels } = formatOf(bytes, path);
  const sharp = await importSharp();
  let size: Size;
  try {
    const { autoOrient } = await sharp(bytes, { limitInputPixels: false }).metadata();
    size = { height: autoOrient.height, width: autoOrient.width };
  } catch (error) {
    throw undecodable(path, reasonOf(error), error);
  }
  const { height, width } = size;
  if (!(height > 0 && width > 0)) throw undecodable(path, 'it has no size');
  if (height * width > mostPixels || Math.max(height, width) > LONGEST_SIDE) {
    throw new DataError(
      `${path} has ${height}×${width} pixels, where at most ${mostPixels} in all and ${LONGEST_SIDE} a side are read. Scale it down.`,
    );
  }
  return size;
}

/** The turn of a large picture begins where the one before ended. */
let largeTurn: Promise<unknown> = Promise.resolve();

function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
  const result = largeTurn.then(work);
  largeTurn = result.catch(() => undefined);
  return result;
}

/**
 * Decodes a file: turned upright as its EXIF entry says, resized by the rule, transparent parts black, as red, green and
 * blue or as brightness alone. Throws `DataError`, naming the file, where it is neither PNG nor JPEG by its first bytes, is
 * damaged, larger than 2²⁵ pixels (PNG: 2²⁴), or, without resizing, than 2²² pixels or of another size than `expected`.
 *
 * @param expected the size that it must have, and which file has it
 */
export async function decodeImage(
  path: string,
  form: ImageForm,
  expected?: FileImages['size'],
): Promise<PlanarImage> {
  const bytes = await readBytes(path, fileLimits.picture);
  const { height, width } = await sizeOf(bytes, path);
  if (form.resize.side === null) {
    if (expected !== undefined && (expected.height !== height || expected.width !== width)) {
      throw new DataError(
        `${path} has ${height}×${width} pixels, ${expected.of} has ${expected.height}×${expected.width}: images of different sizes. Set data.resize.side to the number of pixels that height and width shall have, and data.resize.rule to cover, contain or stretch.`,
      );
    }
    requireKeepable(path, { height, width });
  }
  const decode = () => decodeBytes(bytes, path, form);
  return await (height * width > LARGE_PIXELS ? inTurn(decode) : decode());
}

function requireKeepable(path: string, { height, width }: Size): void {
  if (height * width <= MOST_KEPT_PIXELS) return;
  throw new DataError(
    `${path} has ${height}×${width} pixels, where at most ${MOST_KEPT_PIXELS} in all are used as they are. Set data.resize.side to the number of pixels that height and width shall have.`,
  );
}

async function decodeBytes(
  bytes: Uint8Array,
  path: string,
  { channels, resize }: ImageForm,
): Promise<PlanarImage> {
  const { side, rule } = resize;
  const sharp = await importSharp();
  try {
    // Warnings count: a JPEG with damaged data decodes to something, but not to the picture.
    let picture = sharp(bytes, { failOn: 'warning' }).autoOrient();
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
    throw undecodable(path, reasonOf(error), error);
  }
}

/** Height and width as the header says, turned upright; nothing is decoded. Throws `DataError`, naming the file. */
const imageSize = async (path: string): Promise<Size> =>
  await sizeOf(await readBytes(path, fileLimits.picture), path);

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
  if (resize.side !== null) return { height: resize.side, width: resize.side, of };
  const size = await imageSize(of);
  requireKeepable(of, size);
  return { ...size, of };
}

/**
 * Images that are decoded when they are read. A read throws `DataError` for a damaged file, and where a file's size is
 * another than the rest's.
 */
export function imagesOfFiles({ paths, labels, form, size }: FileImages): RawImages {
  const { height, width } = size;
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
        const image = await decodeImage(paths[index]!, form, size);
        bytes.set(image.pixels, place * elements);
      });
      return bytes;
    },
  };
}
