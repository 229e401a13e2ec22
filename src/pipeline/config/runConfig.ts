/** The configuration that a run left in its folder. */
import { join } from 'node:path';
import { CONFIG } from '../store/fileNames.js';
import { openToRead } from '../store/readFolder.js';
import { resolveConfig } from './resolve.js';
import type { Config } from './schema.js';

/** Throws `StoreError` where the folder is none of a run, and `ConfigError` where its configuration does not fit any more. */
export async function readRunConfig(folder: string): Promise<Config> {
  // First: what is missing there is told as a missing run, not as a missing file.
  await openToRead(folder).readBytes(CONFIG);
  return resolveConfig({ file: join(folder, CONFIG), sets: [] });
}
