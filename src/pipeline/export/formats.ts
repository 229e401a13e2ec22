/** The forms in which a set is handed over, each as the files that it consists of. */
import ndarray from 'ndarray';
import { ShapeError } from '../../errors.js';
import { levelOf } from '../sheets.js';
import { encodeNpy } from '../store/encodeNpy.js';
import { encodePng } from '../store/png.js';
import { encodeSafetensors } from '../store/safetensors.js';
import type { ExportedSet } from './exportedSet.js';

export const exportFormats = ['safetensors', 'npz', 'png'] as const;

/** safetensors: one file of tensors; npz: one file of NumPy's; png: a picture an image, and the targets beside them. */
export type ExportFormat = (typeof exportFormats)[number];

/** Bytes by name of file, relative to the folder that is handed over. */
export type ExportedFiles = ReadonlyMap<string, Uint8Array>;

/** What a zip archive says about when its files were made: no run's time, so that the same set gives the same bytes. */
const ARCHIVE_DATE = '1980-01-01T12:00:00';

/** The folder of the pictures. */
export const PICTURES = 'images';

/** Name of an image's picture. */
const pictureFile = (index: number): string => `${PICTURES}/${String(index).padStart(5, '0')}.png`;

/** Whether a file's name is one of an image's picture. */
export const isPicture = (name: string): boolean => /^images\/\d{5,}\.png$/.test(name);

/** The numbers of a set under the names that all formats use. */
const arraysOf = (set: ExportedSet): readonly (readonly [string, Float32Array, readonly number[]])[] => [
  ['images', set.images, [set.count, ...set.image]],
  ['targets', set.targets, [set.count, set.representation]],
  ['innerStep', Float32Array.of(set.innerStep), [1]],
];

/** Pixels of image `index` row by row, channels last: rounded to 8 bits, and cut off at 0 and 255. */
function pixelsOf({ images, count, image }: ExportedSet, index: number): Uint8Array {
  const rows = ndarray(images, [count, ...image])
    .pick(index, null, null, null)
    .transpose(1, 2, 0);
  const [, width, channels] = rows.shape as [number, number, number];
  return Uint8Array.from({ length: rows.size }, (_, k) => {
    const pixel = Math.floor(k / channels);
    const value = rows.get(Math.floor(pixel / width), pixel % width, k % channels);
    return levelOf(value);
  });
}

/** Share of the pixels that a picture cannot show, because they lie outside 0 … 1. */
export const clippedShare = ({ images }: Pick<ExportedSet, 'images'>): number =>
  images.reduce((sum, value) => sum + (value < 0 || value > 1 ? 1 : 0), 0) / images.length;

async function pictures(set: ExportedSet): Promise<[string, Uint8Array][]> {
  const [channels, height, width] = set.image;
  if (channels !== 1 && channels !== 3) {
    throw new ShapeError(
      `A picture has 1 or 3 channels, not ${channels}. Export the set as safetensors or npz.`,
    );
  }
  const files: [string, Uint8Array][] = [];
  for (let index = 0; index < set.count; index++) {
    files.push([pictureFile(index), await encodePng(pixelsOf(set, index), width, height, channels)]);
  }
  return files;
}

/**
 * The files of a set in one format. The same set gives the same bytes.
 *
 * @throws ShapeError when pictures are asked of images that have neither 1 nor 3 channels.
 */
export async function exportedFiles(set: ExportedSet, format: ExportFormat): Promise<ExportedFiles> {
  const { mean, deviation } = set;
  switch (format) {
    case 'safetensors': {
      const tensors = arraysOf(set).map(
        ([name, data, shape]) => [name, { dtype: 'F32', shape, data }] as const,
      );
      const metadata = { mean: JSON.stringify(mean), deviation: JSON.stringify(deviation) };
      return new Map([['synthetic.safetensors', encodeSafetensors(new Map(tensors), metadata)]]);
    }
    case 'npz': {
      const numbers = [
        ...arraysOf(set),
        ['mean', Float32Array.from(mean), [mean.length]],
        ['deviation', Float32Array.from(deviation), [deviation.length]],
      ] as const;
      const entries = numbers.map(([name, data, shape]) => [`${name}.npy`, encodeNpy(data, shape)]);
      const { zipSync } = await import('fflate');
      return new Map([['synthetic.npz', zipSync(Object.fromEntries(entries), { mtime: ARCHIVE_DATE })]]);
    }
    case 'png':
      return new Map([
        ...(await pictures(set)),
        ['targets.npy', encodeNpy(set.targets, [set.count, set.representation])],
      ]);
  }
}
