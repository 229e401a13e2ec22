/** Where answers of `hypergrad tune` lie: one file for each adapter, in the user's cache folder. */
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError, StoreError } from '../../errors.js';
import type { Device } from '../../gpu/device.js';
import { cacheFolder } from '../../gpu/node/cacheFolder.js';
import { useTuning } from '../../kernels/deviceTuning.js';
import { fileLimits, readBounded, readingFault } from '../store/boundedFile.js';
import { plainDisk } from '../store/disk.js';
import { reasonOf } from '../store/failures.js';
import { parseRecord, type TuningRecord } from './record.js';

const SWITCH = 'HYPERGRAD_TUNING';
const LONGEST_NAME = 60;
const HASH_DIGITS = 8;

/** What became of an adapter's stored tuning. */
export type TuningState =
  | { readonly use: 'measured'; readonly record: TuningRecord }
  /** There is none. */
  | { readonly use: 'none' }
  /** HYPERGRAD_TUNING=off: nobody has looked. */
  | { readonly use: 'off' }
  /** There is one that does not count; the warning is one sentence, with what to do. */
  | { readonly use: 'ignored'; readonly warning: string };

/** Whether stored tunings are wanted. Throws `ConfigError` for an unknown value of HYPERGRAD_TUNING. */
export function isTuningWanted(): boolean {
  const value = process.env[SWITCH] || 'on';
  if (value !== 'on' && value !== 'off') {
    throw new ConfigError(`Unknown value '${value}' in the environment variable ${SWITCH}. Use on or off.`);
  }
  return value === 'on';
}

/** The file of an adapter. Names that differ only in what a file's name cannot hold have files of their own. */
export function tuningFile(adapterName: string): string {
  const safe = adapterName
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, LONGEST_NAME)
    .replace(/^-|-$/g, '');
  const hash = createHash('sha256').update(adapterName).digest('hex').slice(0, HASH_DIGITS);
  return join(cacheFolder(), 'tuning', `${safe === '' ? '' : `${safe}-`}${hash}.json`);
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/** Looks for an adapter's tuning without using it. Throws `ConfigError` as `isTuningWanted` does. */
async function findTuning({ adapter }: Pick<Device, 'adapter'>): Promise<TuningState> {
  if (!isTuningWanted()) return { use: 'off' };
  const path = tuningFile(adapter.name);
  const ignored = (reason: string): TuningState => ({
    use: 'ignored',
    warning: `The tuning in ${path} is ignored: ${reason}. Run 'hypergrad tune' again.`,
  });
  let text: string;
  try {
    text = new TextDecoder().decode(await readBounded(path, fileLimits.record));
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return { use: 'none' };
    return ignored(`it ${readingFault(error)}`);
  }
  const parsed = parseRecord(text, adapter);
  return 'fault' in parsed ? ignored(parsed.fault) : { use: 'measured', record: parsed.record };
}

/**
 * Makes a device compute with the block sizes that `hypergrad tune` measured on its adapter, where there are any that
 * count. Call it before anything is compiled.
 *
 * @throws ConfigError for an unknown value of HYPERGRAD_TUNING; a file that does not fit is told in the result instead.
 */
export async function loadTuning(device: Device): Promise<TuningState> {
  const state = await findTuning(device);
  useTuning(device, state.use === 'measured' ? state.record.overrides : null);
  return state;
}

/**
 * Keeps a record for all later runs on its adapter, in place of the one before.
 *
 * @returns the file's path.
 * @throws StoreError when the cache folder cannot be written.
 */
export async function saveTuning(record: TuningRecord): Promise<string> {
  const path = tuningFile(record.adapter.name);
  try {
    await plainDisk.writeWhole(path, `${JSON.stringify(record, null, 2)}\n`);
  } catch (error) {
    const { cause } = error as StoreError;
    throw new StoreError(
      `The tuning cannot be kept in ${path} (${reasonOf(cause)}). Mend that, or set HYPERGRAD_CACHE to a folder of yours.`,
      { cause },
    );
  }
  return path;
}

/**
 * Removes an adapter's record, whatever it holds.
 *
 * @returns the file's path, or null where there was none.
 * @throws StoreError when it cannot be removed.
 */
export async function removeTuning(adapterName: string): Promise<string | null> {
  const path = tuningFile(adapterName);
  try {
    await rm(path);
    return path;
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT' || codeOf(cause) === 'ENOTDIR') return null;
    throw new StoreError(`The tuning ${path} cannot be removed (${reasonOf(cause)}). Remove it by hand.`, {
      cause,
    });
  }
}
