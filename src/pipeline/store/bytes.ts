/** Sizes of files and memory. */

export const MEBIBYTE = 2 ** 20;

/** Bytes in the unit in which they are read best. */
export const sizeText = (bytes: number): string =>
  bytes < 1024
    ? `${bytes} bytes`
    : bytes < MEBIBYTE
      ? `${Math.ceil(bytes / 1024)} KiB`
      : `${Math.ceil(bytes / MEBIBYTE)} MiB`;
