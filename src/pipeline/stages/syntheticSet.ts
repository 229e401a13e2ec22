/** The synthetic set as files: the artefact, its snapshots, and a picture of each. */
import type { Dataset } from '../data/dataset.js';
import { contactSheet } from '../report/contactSheet.js';
import { encodePng } from '../store/png.js';
import type { RunFolder } from '../store/runFolder.js';
import { floatTensor, writeTensors } from './context.js';
import type { StartingSet } from './starts.js';

/** Enlargement of a small image in a picture: its cells are about this many pixels wide. */
const CELL = 56;

/** Where snapshots lie. */
export const SNAPSHOTS = 'snapshots';

/** Name of a snapshot's file: `iterations` updates were made. */
export const snapshotFile = (iterations: number, extension: 'safetensors' | 'png'): string =>
  `${SNAPSHOTS}/synthetic-${String(iterations).padStart(6, '0')}.${extension}`;

/** What is learnt. */
export interface SyntheticSet {
  /** [count, C, H, W], standardised. */
  readonly images: Float32Array;
  /** [count, D]. */
  readonly targets: Float32Array;
  /** α. */
  readonly innerStep: number;
}

/** Writes a set beside the one that it started from, and the picture of both. */
export async function writeSyntheticSet(
  folder: RunFolder,
  names: { readonly tensors: string; readonly picture: string },
  set: SyntheticSet,
  start: StartingSet,
  { image, mean, deviation }: Pick<Dataset, 'image' | 'mean' | 'deviation'>,
  metadata: Record<string, string> = {},
): Promise<void> {
  const { count } = start;
  const representation = start.targets.length / count;
  await writeTensors(
    folder,
    names.tensors,
    [
      ['images', floatTensor(set.images, count, ...image)],
      ['targets', floatTensor(set.targets, count, representation)],
      ['innerStep', floatTensor(Float32Array.of(set.innerStep), 1)],
      ['start.images', floatTensor(start.images, count, ...image)],
      ['start.targets', floatTensor(start.targets, count, representation)],
    ],
    metadata,
  );
  const sheet = contactSheet({
    before: start.images,
    after: set.images,
    count,
    image,
    mean,
    deviation,
    scale: Math.max(1, Math.round(CELL / image[2])),
  });
  await folder.writeBytes(
    names.picture,
    await encodePng(sheet.pixels, sheet.width, sheet.height, sheet.channels),
  );
}
