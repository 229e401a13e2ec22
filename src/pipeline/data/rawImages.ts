/** Images as a dataset's files hold them, before a run draws, pools and standardises them. */
import { DataError } from '../../errors.js';
import { readingFault } from '../store/boundedFile.js';

/** One part of a dataset. Pixels are read when they are asked for: only those that a run draws. */
export interface RawImages {
  readonly count: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** [count]; each below the number of classes. Null for images without labels. */
  readonly labels: ArrayLike<number> | null;
  /** Bytes 0 … 255 of the images with these numbers, [indices, channels, height, width]. Throws `DataError`. */
  read(indices: Int32Array): Promise<Uint8Array>;
}

/** A dataset's two parts before sampling, pooling and standardising. */
export interface RawDataset {
  /** Where it was read from, for messages: "mnist in FOLDER". */
  readonly origin: string;
  /** Names of the classes; none where there are no labels. */
  readonly classes: readonly string[];
  readonly train: RawImages;
  /** Null where the files have no part for tests: a share of the training images is held out then. */
  readonly test: RawImages | null;
}

/** Images that lie in memory: `pixels` is [count, channels, height, width]. */
export function imagesInMemory(images: Omit<RawImages, 'read'> & { readonly pixels: Uint8Array }): RawImages {
  const { pixels, ...rest } = images;
  const size = images.channels * images.height * images.width;
  return {
    ...rest,
    async read(indices) {
      const bytes = new Uint8Array(indices.length * size);
      for (const [place, index] of indices.entries()) {
        bytes.set(pixels.subarray(index * size, (index + 1) * size), place * size);
      }
      return bytes;
    },
  };
}

/** The images with these numbers as a part of their own. */
export function takeImages(images: RawImages, numbers: Int32Array): RawImages {
  const { labels } = images;
  return {
    ...images,
    count: numbers.length,
    labels: labels && Int32Array.from(numbers, (number) => labels[number]!),
    read: (indices) => images.read(indices.map((index) => numbers[index]!)),
  };
}

/** An error of reading as a `DataError` that names the file. */
export function unreadable(path: string, error: unknown): DataError {
  return new DataError(
    `${path} ${readingFault(error)}. Give the folder of the dataset's files with --data DIR.`,
    {
      cause: error,
    },
  );
}
