/**
 * The record files of CIFAR-10's and CIFAR-100's official binary versions: records of one or two label bytes and
 * 3 × 32 × 32 pixel bytes (all red, all green, all blue, each row by row).
 */
import { DataError } from '../../errors.js';
import { readBytes, readLines } from './folders.js';
import { imagesInMemory, type RawImages } from './rawImages.js';

const SIDE = 32;
const PIXEL_BYTES = 3 * SIDE * SIDE;

/** What a version's records look like. */
export interface CifarFormat {
  /** The version's name, for messages: "CIFAR-10". */
  readonly name: string;
  /** Bytes in front of the pixels; the label is the last of them. */
  readonly labelBytes: number;
  readonly classes: number;
}

/** Class names, one a line. Throws `DataError` where they are not as many as there are classes. */
export async function readClassNames(path: string, { classes }: CifarFormat): Promise<string[]> {
  const names = await readLines(path);
  if (names.length !== classes) {
    throw new DataError(`${path} names ${names.length} classes, where ${classes} are expected.`);
  }
  return names;
}

/** Reads record files, one after the other. Throws `DataError`, naming the file. */
export async function readRecords(paths: readonly string[], format: CifarFormat): Promise<RawImages> {
  const { labelBytes, classes, name } = format;
  const recordBytes = labelBytes + PIXEL_BYTES;
  const files: Uint8Array[] = [];
  for (const path of paths) {
    const bytes = await readBytes(path);
    if (bytes.length === 0 || bytes.length % recordBytes !== 0) {
      throw new DataError(
        `${path} holds ${bytes.length} bytes, where a whole number of records of ${recordBytes} bytes is expected. Fetch the file again; it must be ${name}'s binary version.`,
      );
    }
    files.push(bytes);
  }
  const count = files.reduce((sum, bytes) => sum + bytes.length / recordBytes, 0);
  const pixels = new Uint8Array(count * PIXEL_BYTES);
  const labels = new Uint8Array(count);
  let image = 0;
  for (const [file, bytes] of files.entries()) {
    for (let start = 0; start < bytes.length; start += recordBytes) {
      const label = bytes[start + labelBytes - 1]!;
      if (label >= classes) {
        throw new DataError(
          `${paths[file]}: record ${start / recordBytes} has the label ${label}, where 0 to ${classes - 1} are expected. It must be ${name}'s binary version.`,
        );
      }
      labels[image] = label;
      pixels.set(bytes.subarray(start + labelBytes, start + recordBytes), image * PIXEL_BYTES);
      image += 1;
    }
  }
  return imagesInMemory({ count, channels: 3, height: SIDE, width: SIDE, pixels, labels });
}
