import { DataError } from '../../errors.js';

/** Images and labels as a dataset's files hold them. */
export interface RawImages {
  readonly count: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** [count, channels, height, width], 0 … 255. */
  readonly pixels: Uint8Array;
  /** [count]; each below the number of classes. Null for images without labels. */
  readonly labels: ArrayLike<number> | null;
}

/** A dataset's two parts before sampling, pooling and standardising. */
export interface RawDataset {
  /** Where it was read from, for messages: "mnist in FOLDER". */
  readonly origin: string;
  readonly classes: readonly string[];
  readonly train: RawImages;
  readonly test: RawImages;
}

/** A file system error as a `DataError` that names the file. */
export function unreadable(path: string, error: unknown): DataError {
  const { code } = error as NodeJS.ErrnoException;
  const reason =
    code === 'ENOENT' || code === 'ENOTDIR'
      ? 'does not exist'
      : code === 'EISDIR'
        ? 'is a folder, not a file'
        : `cannot be read (${code ?? (error as Error).message})`;
  return new DataError(`${path} ${reason}. Give the folder of the dataset's files with --data DIR.`, {
    cause: error,
  });
}
