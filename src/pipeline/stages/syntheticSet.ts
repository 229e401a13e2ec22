/** The synthetic set as files: the artefact, its snapshots, and a picture of each. */
import type { Dataset } from '../data/dataset.js';
import { encodePng } from '../store/png.js';
import type { RunFolder } from '../store/runFolder.js';
import { writeTensors } from './context.js';
import type { StartingSet } from './starts.js';
import { type SyntheticSet, syntheticSheet, syntheticTensors } from './syntheticTensors.js';

/** Where snapshots lie. */
export const SNAPSHOTS = 'snapshots';

/** Name of a snapshot's file: `iterations` updates were made. */
export const snapshotFile = (iterations: number, extension: 'safetensors' | 'png'): string =>
  `${SNAPSHOTS}/synthetic-${String(iterations).padStart(6, '0')}.${extension}`;

/** The iterations after which a snapshot of a file's name in the folder of snapshots was taken; undefined for another file. */
export function snapshotOf(name: string): number | undefined {
  const digits = /^synthetic-(\d+)\.safetensors$/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Files of the last set whose loss was a number, which a distillation that diverged leaves. */
export const lastGood = {
  tensors: `${SNAPSHOTS}/last-good.safetensors`,
  picture: `${SNAPSHOTS}/last-good.png`,
} as const;

/** Writes a set beside the one that it started from, and the picture of both. */
export async function writeSyntheticSet(
  folder: RunFolder,
  names: { readonly tensors: string; readonly picture: string },
  set: SyntheticSet,
  start: StartingSet,
  { image, mean, deviation }: Pick<Dataset, 'image' | 'mean' | 'deviation'>,
  metadata: Record<string, string> = {},
): Promise<void> {
  await writeTensors(folder, names.tensors, syntheticTensors(set, start, image), metadata);
  const sheet = syntheticSheet(set, start, { image, mean, deviation });
  await folder.writeBytes(
    names.picture,
    await encodePng(sheet.pixels, sheet.width, sheet.height, sheet.channels),
  );
}
