/** Datasets of the same files one after the other, such as those of several seeds: the files are read once. */
import type { Config } from '../config/schema.js';
import { type Dataset, drawDataset } from './dataset.js';
import type { RawDataset, RawImages } from './rawImages.js';
import { readSource } from './sources.js';

/** Bytes of images up to which what was read last is kept. */
const KEPT_BYTES = 2 ** 26;

const bytesOf = ({ count, channels, height, width }: RawImages): number => count * channels * height * width;

/** Loads datasets as `loadDataset` does, and throws as it does; each is its caller's to close. */
export function datasetLoader(): (config: Config['data'], seed: number) => Promise<Dataset> {
  let kept: { readonly key: string; readonly raw: RawDataset } | null = null;
  return async (config, seed) => {
    // How many are drawn and how they are pooled is no matter of the files; how pictures are decoded is.
    const { source, folder, resize, channels } = config;
    const key = JSON.stringify([source, folder, resize, channels]);
    const raw = kept?.key === key ? kept.raw : await readSource(config);
    const bytes = bytesOf(raw.train) + (raw.test === null ? 0 : bytesOf(raw.test));
    kept = bytes <= KEPT_BYTES ? { key, raw } : null;
    return await drawDataset(raw, config, seed);
  };
}
