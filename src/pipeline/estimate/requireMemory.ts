/** Whether a run fits its device and its machine, said before its first stage rather than in the middle of its last. */
import { DeviceError } from '../../errors.js';
import type { Device } from '../../gpu/device.js';
import { formatBytes } from '../../gpu/formatBytes.js';
import type { Config } from '../config/schema.js';
import type { Dataset } from '../data/dataset.js';
import { hostMemoryOf, LOWER_HOST_MEMORY, mostHostBytes } from './hostMemory.js';
import { machineBytes } from './machineBytes.js';
import { rehearse } from './rehearse.js';
import { roughBound } from './roughBound.js';

/** Every device that this engine runs on has so much memory to give: what is surely below it is not counted. */
const SURELY_THERE = 2 ** 30;
/** The share of a machine's memory that a run on its processor may surely take. */
const SURELY_FREE = 0.25;
/** Milliseconds in which settings are tried that would make a stage fit. */
const REMEDY_TIME = 30_000;

/** What is there. */
export interface AvailableMemory {
  /** Bytes that this process may use on the host; a software device lives there too. */
  readonly host: number;
}

/**
 * Compares what a run takes with what there is: buffers with the device's limits; all that is held at a time with the
 * machine's memory on a software device, and with what a GPU gives when it is asked. Takes no time where the run is small.
 *
 * @throws DeviceError when a stage does not fit, with both numbers and, where one was found, the setting with which it fits.
 */
export async function requireMemory(
  {
    device,
    config,
    dataset,
  }: { readonly device: Device; readonly config: Config; readonly dataset: Dataset },
  { host }: AvailableMemory = { host: machineBytes() },
): Promise<void> {
  const { largestBuffer, adapter } = device;
  if (roughBound(config, dataset) <= Math.min(SURELY_THERE, largestBuffer, SURELY_FREE * host)) return;

  const isSoftware = adapter.kind === 'software';
  const arrays = mostHostBytes(hostMemoryOf(config, dataset));
  if (arrays > host) {
    throw new DeviceError(
      `The run holds ${formatBytes(arrays)} of arrays on the host, and this machine gives it ${formatBytes(host)}. ${LOWER_HOST_MEMORY}`,
    );
  }
  const total = isSoftware ? host - arrays : undefined;
  // Probes are fitted on the host: how many labels they see changes nothing here.
  const labels = [Math.min(...config.evaluate.labels)];
  const rehearsed = { ...config, evaluate: { ...config.evaluate, labels } };
  const space = await rehearse(device, rehearsed, dataset, performance.now() + REMEDY_TIME, total);
  for (const { stage, deviceBytes, refusal } of space) {
    if (refusal === null) continue;
    // What it takes in all is the reason itself where it is more than there is.
    const takes =
      deviceBytes === null || refusal.isTotal
        ? ''
        : ` It takes ${formatBytes(deviceBytes)} of device memory in all.`;
    const remedy =
      refusal.remedy === null
        ? 'No smaller batch and, of distil, no other memory makes it fit, as far as it was tried: lower the widths of the models (student.width, teacher.width), or choose another device.'
        : `It fits with --set ${refusal.remedy}, as a rehearsal shows.`;
    throw new DeviceError(
      `The stage ${stage} does not fit '${adapter.name}': ${refusal.reason}${takes} ${remedy} Nothing was computed.`,
    );
  }
  if (isSoftware) return;
  const most = Math.max(...space.map(({ deviceBytes }) => deviceBytes ?? 0));
  if (await device.hasRoomFor(most)) return;
  const { stage } = space.find(({ deviceBytes }) => deviceBytes === most)!;
  throw new DeviceError(
    `The stage ${stage} takes ${formatBytes(most)} of device memory, and '${adapter.name}' does not give that much now. ` +
      'End what else uses it, or make the stage smaller: its batch, or distil.memory=recompute, which holds least. Nothing was computed.',
  );
}
