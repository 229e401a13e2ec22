/** Tuning for a preset: the launches of its steps, measured on a device. */
import { version } from '../../../package.json';
import { type TuneOptions, tuneDevice } from '../../autograd/tune/tuneDevice.js';
import type { Device } from '../../gpu/device.js';
import { packageVersion } from '../../gpu/node/packageVersion.js';
import { resolveConfig } from '../config/resolve.js';
import { presetTapes } from './presetTapes.js';
import { RECORD_FORMAT, type TuningRecord } from './record.js';

/** The preset whose steps are measured where none is named. */
export const DEFAULT_TUNING_PRESET = 'mnist-small';
/** Samples of each candidate and launch. */
export const DEFAULT_ROUNDS = 7;

/** What is measured, and how. */
export interface TuneSettings extends Partial<Pick<TuneOptions, 'rounds' | 'progress'>> {
  /** `mnist-small` by default. */
  readonly preset?: string;
}

/**
 * Measures which block sizes suit a device best for the steps of a preset. Takes a minute or more, and wants the machine
 * to itself. Neither keeps nor uses what it finds: `saveTuning` and `loadTuning` do.
 *
 * @throws ConfigError for an unknown preset, DeviceError when the device cannot run its steps at all.
 */
export async function tune(device: Device, settings: TuneSettings = {}): Promise<TuningRecord> {
  const { preset = DEFAULT_TUNING_PRESET, rounds = DEFAULT_ROUNDS, ...rest } = settings;
  const tapes = presetTapes(resolveConfig({ preset, sets: [] }));
  const { name, kind } = device.adapter;
  return {
    format: RECORD_FORMAT,
    adapter: { name, kind },
    hypergrad: version,
    webgpu: packageVersion('webgpu'),
    made: new Date().toISOString(),
    preset,
    ...(await tuneDevice(device, tapes, { ...rest, rounds })),
  };
}
