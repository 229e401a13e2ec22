/** The synthetic images of a run as they are now: the result, or the newest that the distillation has kept on its way. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { files } from '../stages/context.js';
import { SNAPSHOTS } from '../stages/syntheticSet.js';
import { readBounded } from '../store/boundedFile.js';
import { checkpointFile } from '../store/fileNames.js';
import { decodeSafetensors } from '../store/safetensors.js';

/** Larger files are not read for a look. */
const MOST_BYTES = 2 ** 28;

/** Images [count, C, H, W], standardised. */
export interface SyntheticImages {
  readonly count: number;
  readonly image: readonly [channels: number, height: number, width: number];
  readonly data: Float32Array;
  /** The file that they were read from, relative to the folder. */
  readonly file: string;
  /** When it was written, in milliseconds since 1970. */
  readonly time: number;
}

/** Files that may hold them, the newest first. */
async function candidateFiles(
  folder: string,
  isDistilled: boolean,
): Promise<{ file: string; time: number }[]> {
  const snapshots = isDistilled
    ? []
    : (await readdir(join(folder, SNAPSHOTS)).catch(() => []))
        .filter((name) => name.endsWith('.safetensors'))
        .sort()
        .slice(-1)
        .map((name) => `${SNAPSHOTS}/${name}`);
  const names = isDistilled ? [files.synthetic] : [checkpointFile('distil'), ...snapshots];
  const found = await Promise.all(
    names.map(async (file) => {
      const entry = await stat(join(folder, file)).catch(() => null);
      return entry === null || entry.size > MOST_BYTES ? [] : [{ file, time: entry.mtimeMs }];
    }),
  );
  return found.flat().sort((a, b) => b.time - a.time);
}

/**
 * The newest images; null where there are none yet. What was read before is given back where nothing newer is there.
 *
 * @param image shape of the images, which a checkpoint leaves to its reader; null where it is not known
 */
export async function readSynthetic(
  folder: string,
  isDistilled: boolean,
  image: SyntheticImages['image'] | null,
  before: SyntheticImages | null = null,
): Promise<SyntheticImages | null> {
  for (const { file, time } of await candidateFiles(folder, isDistilled)) {
    if (before !== null && before.file === file && before.time === time) return before;
    try {
      const { tensors } = decodeSafetensors(await readBounded(join(folder, file), MOST_BYTES), file);
      const { shape, data } = tensors.get('images')!;
      const [channels, height, width] = shape.length === 4 ? shape.slice(1) : image!;
      const count = data.length / (channels! * height! * width!);
      if (!Number.isInteger(count) || count < 1 || !(data instanceof Float32Array)) continue;
      return { count, image: [channels!, height!, width!], data, file, time };
    } catch {
      // Being written, or damaged: perhaps another one is not.
    }
  }
  return null;
}
