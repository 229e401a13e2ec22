/** The numbers that a run's images were standardised by, kept in its folder so that its set can be shown without the data. */
import { z } from 'zod';
import { StoreError } from '../../errors.js';
import type { Standardisation } from '../../nn/colour.js';
import type { Config } from '../config/schema.js';
import { STANDARDISATION } from '../store/fileNames.js';
import { requireVersion, versionOf } from '../store/formatVersion.js';
import type { RunFolder } from '../store/runFolder.js';
import { parseJson } from '../store/strictJson.js';
import { type Dataset, loadDataset } from './dataset.js';

const VERSION = 1;

const schema = z.object({
  version: z.literal(VERSION),
  mean: z.array(z.number()).min(1),
  deviation: z.array(z.number().positive()).min(1),
});

/** Writes what `dataset` was standardised by. */
export async function writeStandardisation(
  folder: Pick<RunFolder, 'writeText'>,
  { mean, deviation }: Pick<Dataset, 'mean' | 'deviation'>,
): Promise<void> {
  const text = JSON.stringify({ version: VERSION, mean, deviation }, null, 2);
  await folder.writeText(STANDARDISATION, `${text}\n`);
}

/**
 * What a run's images were standardised by. A folder from before the file was written has none: then the data itself is read.
 *
 * @throws StoreError for a damaged file, or one of a newer version; DataError where the data has to be read and cannot.
 */
export async function readStandardisation(
  folder: Pick<RunFolder, 'readBytes' | 'pathOf'>,
  { data, seed }: Pick<Config, 'data' | 'seed'>,
): Promise<Standardisation> {
  const bytes = await folder.readBytes(STANDARDISATION).catch(() => null);
  if (bytes === null) {
    const dataset = await loadDataset(data, seed);
    dataset.close();
    return dataset;
  }
  return decodeStandardisation(new TextDecoder().decode(bytes), folder.pathOf(STANDARDISATION));
}

/** Reads the file's text. Throws `StoreError` when it is damaged, or of a newer version. */
export function decodeStandardisation(text: string, path: string): Standardisation {
  try {
    const json = parseJson(text);
    requireVersion(path, versionOf(json), VERSION);
    return schema.parse(json);
  } catch (cause) {
    if (cause instanceof StoreError) throw cause;
    throw new StoreError(`${path} is damaged. Give the run's command again.`, { cause });
  }
}
