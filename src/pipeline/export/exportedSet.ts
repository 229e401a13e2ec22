/** What a finished run hands over: its synthetic set in the scale of pictures, and what a reader of it has to know. */
import { readdir } from 'node:fs/promises';
import { StoreError } from '../../errors.js';
import { readRunConfig } from '../config/runConfig.js';
import type { Config } from '../config/schema.js';
import { readStandardisation } from '../data/standardisation.js';
import { decodeEvaluation } from '../evaluate/record.js';
import { summariseTable } from '../evaluate/summary.js';
import type { ResultRow } from '../report/types.js';
import { files, readTensors } from '../stages/context.js';
import { SNAPSHOTS, snapshotFile, snapshotOf } from '../stages/syntheticSet.js';
import { fileLimits } from '../store/boundedFile.js';
import { exists } from '../store/exists.js';
import { RESULT } from '../store/fileNames.js';
import { type FolderToRead, openToRead } from '../store/readFolder.js';

/** Snapshots that a message names one by one. */
const MOST_NAMED = 10;

/** A synthetic set as it is handed over. */
export interface ExportedSet {
  /** [count, C, H, W] in 0 … 1, as pictures are; distilled pixels may lie outside. */
  readonly images: Float32Array;
  /** [count, D]: what an encoder learns to give for each image. */
  readonly targets: Float32Array;
  readonly count: number;
  readonly image: readonly [channels: number, height: number, width: number];
  readonly representation: number;
  /** α, the learning rate that the set was distilled for. */
  readonly innerStep: number;
  /** One number a channel: an encoder expects (x − mean) / deviation. */
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
  readonly config: Config;
  /** Accuracy of a linear probe by row; none where the run is not finished, has no labels, or a snapshot is taken. */
  readonly rows: readonly ResultRow[];
  /** Updates that a snapshot had seen; null for the run's result. */
  readonly snapshot: number | null;
}

/**
 * Reads a run's synthetic set, or its snapshot after so many iterations.
 *
 * @throws StoreError when the folder holds no such set.
 */
export async function readExportedSet(path: string, snapshot: number | null = null): Promise<ExportedSet> {
  const folder = openToRead(path);
  const config = await readRunConfig(path);
  const file = snapshot === null ? files.synthetic : snapshotFile(snapshot, 'safetensors');
  if (snapshot !== null) await requireSnapshot(folder, snapshot);
  const tensor = await readTensors(folder, file);
  const { shape, data } = tensor('images');
  const targets = tensor('targets');
  if (shape.length !== 4 || targets.shape.length !== 2) {
    throw new StoreError(`${folder.pathOf(file)} is no synthetic set. Give the run's command again.`);
  }
  const [count, channels, height, width] = shape as [number, number, number, number];
  const { mean, deviation } = await readStandardisation(folder, config);
  const area = height * width;
  return {
    images: (data as Float32Array).map((value, k) => {
      const channel = Math.floor(k / area) % channels;
      return value * deviation[channel]! + mean[channel]!;
    }),
    targets: targets.data as Float32Array,
    count,
    image: [channels, height, width],
    representation: targets.shape[1]!,
    innerStep: tensor('innerStep').data[0]!,
    mean,
    deviation,
    config,
    rows: snapshot === null ? await readRows(folder) : [],
    snapshot,
  };
}

/** Throws `StoreError` where a run has kept no such snapshot, with those that it has. */
async function requireSnapshot({ path, pathOf }: FolderToRead, snapshot: number): Promise<void> {
  const names = await readdir(pathOf(SNAPSHOTS)).catch(() => []);
  const kept = names.flatMap((name) => snapshotOf(name) ?? []).sort((a, b) => a - b);
  if (kept.includes(snapshot)) return;
  const there =
    kept.length === 0
      ? 'It keeps none unless it is asked to: give its command with --set distil.snapshots=50 --force distil for one every 50 iterations.'
      : `It has those after ${kept.length > MOST_NAMED ? `${kept.slice(0, MOST_NAMED).join(', ')} … ${kept.at(-1)}` : kept.join(', ')}.`;
  throw new StoreError(`${path} has no snapshot after ${snapshot} iterations. ${there}`);
}

/**
 * The run's table; none where it is not finished. A run that was changed and broken off has an evaluation of an earlier set:
 * what tells is its result, which is written last and removed before a stage runs again.
 */
async function readRows({ readBytes, pathOf }: FolderToRead): Promise<readonly ResultRow[]> {
  if (!(await exists(pathOf(RESULT)))) return [];
  const text = new TextDecoder().decode(await readBytes(files.evaluation, fileLimits.record));
  return summariseTable(decodeEvaluation(text, pathOf(files.evaluation))).rows;
}
