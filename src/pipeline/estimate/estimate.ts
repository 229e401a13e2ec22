/**
 * What a run will take, before it is started: time, device memory, host memory and disk, on the device that is open. Nothing
 * is written to the run's folder.
 */
import { freemem } from 'node:os';
import { DeviceError } from '../../errors.js';
import { countingDevice } from '../../gpu/countingDevice.js';
import type { AdapterDescription, Device } from '../../gpu/device.js';
import { overridesOf, useTuning } from '../../kernels/deviceTuning.js';
import type { Config } from '../config/schema.js';
import type { Dataset } from '../data/dataset.js';
import type { StageName } from '../progress.js';
import { type HostMemory, hostMemoryOf, mostHostBytes } from './hostMemory.js';
import { machineBytes } from './machineBytes.js';
import { measureWorks, type Source } from './measure.js';
import { probeTimes } from './probes.js';
import { rehearse, type StageSpace } from './rehearse.js';
import { selfSupervisedWork } from './selfSupervisedWork.js';
import { keptSteps, workOf } from './work.js';

/** One line of the estimate of time. */
export interface TimeEstimate {
  readonly stage: StageName;
  /** What is done, such as `step`. */
  readonly what: string;
  /** Images that one of it handles. */
  readonly images: number;
  /** How often. */
  readonly runs: number;
  /** Seconds of one; null where the device cannot run it. */
  readonly seconds: number | null;
  /** How the seconds were come by; null where there are none. */
  readonly source: Source | null;
}

/** What a run will take. */
export interface Estimate {
  readonly device: AdapterDescription;
  /** What takes time on the device, and the probes on the host. Reading, writing and drawing random numbers are left out. */
  readonly times: readonly TimeEstimate[];
  /** Seconds of all of it that the device can run. */
  readonly seconds: number;
  /** Device memory and disk of each stage, to the byte for tensors; checkpoints come on top while a stage runs. */
  readonly space: readonly StageSpace[];
  /** Most bytes of device memory at a time; null where a stage could not be counted. */
  readonly deviceBytes: number | null;
  /** Bytes of all files but the events and the report; null where a stage could not be counted. */
  readonly diskBytes: number | null;
  /** What the host holds at least, by the arrays that each stage keeps at a time. */
  readonly host: readonly HostMemory[];
  /** Bytes of memory that this process may use, and those of it that are free. */
  readonly machine: { readonly totalBytes: number; readonly freeBytes: number };
}

/** How an estimate is made. */
export interface EstimateOptions {
  /** Seconds that it may take, as far as that can be told ahead. Default 45. */
  readonly budget?: number;
  /** Told of what is about to be measured. */
  readonly progress?: (what: string) => void;
  /** Bytes that this process may use on the host. Default: the machine's, or its container's. */
  readonly hostBytes?: number;
}

const DEFAULT_BUDGET = 45;
/** Of that, the share in which other settings are tried for a stage that does not fit. */
const REMEDY_SHARE = 0.25;
/** A software device shares its memory with everything else that runs. */
const SHARE_OF_FREE = 0.5;

const largest = (values: readonly (number | null)[]): number | null =>
  values.includes(null) ? null : Math.max(...(values as readonly number[]));
const sum = (values: readonly (number | null)[]): number | null =>
  values.includes(null)
    ? null
    : (values as readonly number[]).reduce((total: number, value) => total + value, 0);

/**
 * Estimates a run on a device.
 *
 * @throws DeviceError when the device cannot even run the steps on a few images.
 */
export async function estimateRun(
  device: Device,
  config: Config,
  dataset: Dataset,
  { budget = DEFAULT_BUDGET, progress = () => {}, hostBytes = machineBytes() }: EstimateOptions = {},
): Promise<Estimate> {
  const begun = performance.now();
  progress('memory and disk of every stage');
  const host = hostMemoryOf(config, dataset);
  const isSoftware = device.adapter.kind === 'software';
  // As a run does: a software device has what the host's own arrays leave of the memory.
  const arrays = mostHostBytes(host);
  const total = isSoftware && arrays < hostBytes ? hostBytes - arrays : undefined;
  const space = await rehearse(device, config, dataset, begun + 1000 * REMEDY_SHARE * budget, total);

  const { device: counting } = await countingDevice(device);
  useTuning(counting, overridesOf(device));
  const freeBytes = Math.min(freemem(), hostBytes);
  const measuring = {
    device,
    counting,
    largest: isSoftware ? SHARE_OF_FREE * freeBytes : Number.POSITIVE_INFINITY,
  };
  // A budget that is too small is told by the rehearsal; the time is then that of computing everything again.
  const kept = await keptSteps(counting, config, dataset).catch((error: unknown) => {
    if (error instanceof DeviceError) return 0;
    throw error;
  });
  const works = [...workOf(config, dataset, kept), ...selfSupervisedWork(config, dataset)];
  const left = budget - (performance.now() - begun) / 1000;
  const measured = await measureWorks(measuring, works, left, progress);
  const times = works.map(({ stage, what, images, runs }, k): TimeEstimate => {
    const { seconds = null, source = null } = measured[k] ?? {};
    return { stage, what, images, runs, seconds, source };
  });
  progress('probes on the host');
  times.push(...probeTimes(config, dataset));
  return {
    device: device.adapter,
    times,
    seconds: times.reduce((total, { runs, seconds }) => total + runs * (seconds ?? 0), 0),
    space,
    deviceBytes: largest(space.map(({ deviceBytes }) => deviceBytes)),
    diskBytes: sum(space.map(({ diskBytes }) => diskBytes)),
    host,
    machine: { totalBytes: hostBytes, freeBytes },
  };
}
