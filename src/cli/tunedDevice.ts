/** How commands open their devices, `doctor` and `tune` aside: with the block sizes that `hypergrad tune` found for it. */
import type { Device } from '../gpu/device.js';
import { type OpenDeviceOptions, openDevice } from '../gpu/node/openDevice.js';
import type { Progress } from '../pipeline/progress.js';
import { outliveLosses, type RecoveryOptions } from '../pipeline/recovery.js';
import { isTuningWanted, loadTuning, type TuningState } from '../pipeline/tune/store.js';
import { terminalText } from './terminalText.js';

/** A device, and what to say of it. */
export interface TunedDevice {
  readonly device: Device;
  /** The device in one line, with its tuning where there is one. */
  readonly description: string;
}

/** The day of an ISO date. */
const dayOf = (date: string): string => date.slice(0, 10);

/** What a tuning adds to the line that describes the device; empty where there is none. */
function tuningSuffix(state: TuningState): string {
  return state.use === 'measured' ? `, tuned on ${dayOf(state.record.made)} for ${state.record.preset}` : '';
}

/**
 * Opens a device and loads its tuning; one that does not count is told in a line on stderr.
 *
 * @throws ConfigError for an unknown choice or value of HYPERGRAD_TUNING, DeviceError when no device can be opened.
 */
export async function openTunedDevice(options: OpenDeviceOptions = {}): Promise<TunedDevice> {
  isTuningWanted();
  const device = await openDevice(options);
  const state = await loadTuning(device);
  if (state.use === 'ignored') process.stderr.write(terminalText(`Warning: ${state.warning}\n`));
  return { device, description: `${device.describe()}${tuningSuffix(state)}` };
}

/**
 * Does work on a device that was opened by `openTunedDevice(opened)`, and again on a reopened one when it is lost; told on
 * stderr. Errors as `outliveLosses` throws them.
 */
export async function outliveDevice<Result>(
  device: Device,
  opened: OpenDeviceOptions,
  options: Pick<RecoveryOptions, 'folder' | 'progress' | 'signal'>,
  work: (device: Device, progress: Progress) => Promise<Result>,
): Promise<Result> {
  const reopen = async (): Promise<Device> => (await openTunedDevice({ ...opened, anew: true })).device;
  const say = (line: string): void => {
    process.stderr.write(terminalText(`${line}\n`));
  };
  return await outliveLosses(device, { ...options, reopen, say }, work);
}

/** What `hypergrad doctor` says of a device's tuning. */
export function describeTuning(state: TuningState): string {
  switch (state.use) {
    case 'none':
      return "none for this adapter; 'hypergrad tune' measures which block sizes suit it";
    case 'off':
      return 'not looked for, because HYPERGRAD_TUNING is off';
    case 'ignored':
      return state.warning;
    case 'measured': {
      const { made, preset, hypergrad, webgpu, choices } = state.record;
      const taken = choices.flatMap(({ group, candidate }) =>
        candidate === null ? [] : [`${group} ${candidate}`],
      );
      return (
        `made on ${dayOf(made)} for ${preset} with hypergrad ${hypergrad} and webgpu ${webgpu}: ` +
        (taken.length === 0 ? 'the usual block sizes are the best' : taken.join('; '))
      );
    }
  }
}
