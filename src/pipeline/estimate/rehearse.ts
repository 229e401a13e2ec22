/**
 * A rehearsal: the stages of a run themselves, on a device that only counts and in a folder that is removed afterwards, with
 * every loop cut to its first turn. What they allocate and what they write is what the run allocates and writes.
 */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sizeOf } from '../../autograd/tape.js';
import { DeviceError, StoreError } from '../../errors.js';
import { type BufferLimits, type CountingDevice, countingDevice } from '../../gpu/countingDevice.js';
import type { Device } from '../../gpu/device.js';
import { formatBytes } from '../../gpu/formatBytes.js';
import { overridesOf, useTuning } from '../../kernels/deviceTuning.js';
import type { Config } from '../config/schema.js';
import type { Dataset, ImageSet } from '../data/dataset.js';
import { type Stage, stagesOf } from '../stageList.js';
import { files } from '../stages/context.js';
import { SNAPSHOTS } from '../stages/syntheticSet.js';
import { EVENTS, EventLog } from '../store/events.js';
import { reasonOf } from '../store/failures.js';
import { RunFolder } from '../store/runFolder.js';
import { remediesOf } from './remedies.js';

/** What a stage takes. */
export interface StageSpace {
  readonly stage: Stage['name'];
  /** Most bytes of device memory at a time, with what earlier stages left in the pool; null where it is not known. */
  readonly deviceBytes: number | null;
  /** Bytes of the files that it writes; null where that is not known. */
  readonly diskBytes: number | null;
  /** Why the device cannot run it; null where it can. */
  readonly refusal: Refusal | null;
}

/** A stage that does not fit the device. */
export interface Refusal {
  /** What the stage would fail with, in a sentence. */
  readonly reason: string;
  /** Whether the reason is what it takes in all, and no single buffer. */
  readonly isTotal: boolean;
  /** The setting with which it fits, as `--set` takes it; null where none was found. */
  readonly remedy: string | null;
}

/** Enough for anything that is to be counted, and still a whole number of bytes. */
const UNLIMITED: BufferLimits = { maxBufferSize: 2 ** 48, maxStorageBufferBindingSize: 2 ** 48 };

/** Loops that change neither what is allocated nor how large a file is, cut to one turn; one expert stands for all. */
function cutShort(config: Config): Config {
  const { teacher, experts, distil, selfSupervised, evaluate } = config;
  return {
    ...config,
    teacher: { ...teacher, steps: 1 },
    experts: { ...experts, count: 1 },
    distil: { ...distil, iterations: 1, snapshots: Math.min(1, distil.snapshots) },
    selfSupervised: { ...selfSupervised, iterations: 1, experts: { ...selfSupervised.experts, count: 1 } },
    evaluate: { ...evaluate, epochs: 1, seeds: 1, allData: { ...evaluate.allData, epochs: 1 } },
  };
}

/** How many files the whole run writes for one that the rehearsal does. */
function repetitions(file: string, { experts, distil, selfSupervised }: Config): number {
  if (file === files.selfSupervisedExpert(0)) return selfSupervised.experts.count;
  if (file === files.expert(0)) return experts.count;
  return file.startsWith(SNAPSHOTS) ? Math.floor(distil.iterations / distil.snapshots) : 1;
}

/** Images of zeros: what they show changes neither memory nor the size of a file, and they are there at once. */
function blank(set: ImageSet, elements: number): ImageSet {
  const zeros = (count: number) => new Float32Array(count * elements);
  let all: Float32Array | undefined;
  return {
    count: set.count,
    labels: set.labels,
    origin: set.origin,
    // Stages tell by their identity whether two tables are one.
    get images() {
      all ??= zeros(set.count);
      return all;
    },
    rows: async ({ length }) => zeros(length),
  };
}

function blankDataset(dataset: Dataset): Dataset {
  const elements = sizeOf(dataset.image);
  return { ...dataset, train: blank(dataset.train, elements), test: blank(dataset.test, elements) };
}

async function openCounting(device: Device, limits: Partial<BufferLimits> = {}): Promise<CountingDevice> {
  const counting = await countingDevice(device, limits);
  useTuning(counting.device, overridesOf(device));
  return counting;
}

class Rehearsal {
  readonly #device: Device;
  readonly #dataset: Dataset;
  readonly #folder: RunFolder;

  constructor(device: Device, dataset: Dataset, folder: RunFolder) {
    this.#device = device;
    this.#dataset = blankDataset(dataset);
    this.#folder = folder;
  }

  /**
   * Runs a stage; the names of the files that it wrote.
   *
   * @throws StoreError where the rehearsal's own folder has no room, or fails otherwise.
   */
  async run(stage: Stage, config: Config, counting: CountingDevice): Promise<string[]> {
    counting.memory.restart();
    try {
      return await stage.run({
        config: cutShort(config),
        dataset: this.#dataset,
        device: counting.device,
        folder: this.#folder,
        events: new EventLog(this.#folder.pathOf(EVENTS)),
        advance() {},
        parts: { isDone: async () => false, record: async () => {} },
      });
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      throw new StoreError(
        `The rehearsal in ${this.#folder.path} failed: ${error.message} Set TMPDIR to a folder with room.`,
        { cause: error },
      );
    }
  }

  /** Whether a stage fits the device under other settings. */
  async fits(stage: Stage, config: Config, total: number): Promise<boolean> {
    try {
      const counting = await openCounting(this.#device);
      await this.run(stage, config, counting);
      return counting.memory.peak <= total;
    } catch (error) {
      if (error instanceof DeviceError) return false;
      throw error;
    }
  }

  /** Bytes that the whole run writes where the rehearsal wrote these files. */
  async bytesOf(written: readonly string[], config: Config): Promise<number> {
    const sizes = await Promise.all(
      written.map(async (file) => repetitions(file, config) * (await stat(this.#folder.pathOf(file))).size),
    );
    return sizes.reduce((total, size) => total + size, 0);
  }
}

/** What a rehearsal stays within. */
interface Bounds {
  /** By `performance.now()`; from then on no more settings are tried. */
  readonly deadline: number;
  /** Bytes that the device can hold at a time. */
  readonly total: number;
}

async function findRemedy(
  rehearsal: Rehearsal,
  stage: Stage,
  config: Config,
  { deadline, total }: Bounds,
): Promise<string | null> {
  for (const { setting, config: changed } of remediesOf(stage.name, config)) {
    if (performance.now() > deadline) return null;
    if (await rehearsal.fits(stage, changed, total)) return setting;
  }
  return null;
}

/** Runs a stage on a device without limits; null where the device refuses even that. */
async function runUnlimited(
  rehearsal: Rehearsal,
  stage: Stage,
  config: Config,
  counting: CountingDevice,
): Promise<string[] | null> {
  try {
    return await rehearsal.run(stage, config, counting);
  } catch (error) {
    if (error instanceof DeviceError) return null;
    throw error;
  }
}

async function rehearseIn(
  folder: RunFolder,
  device: Device,
  config: Config,
  dataset: Dataset,
  bounds: Bounds,
): Promise<StageSpace[]> {
  const rehearsal = new Rehearsal(device, dataset, folder);
  const found: StageSpace[] = [];
  let counting = await openCounting(device);
  for (const stage of stagesOf(config)) {
    if (found.some(({ diskBytes }) => diskBytes === null)) {
      found.push({ stage: stage.name, deviceBytes: null, diskBytes: null, refusal: null });
      continue;
    }
    let refused: Pick<Refusal, 'reason' | 'isTotal'> | null = null;
    let written: string[] | null = null;
    try {
      written = await rehearsal.run(stage, config, counting);
      const { peak } = counting.memory;
      if (peak > bounds.total) {
        const reason = `It takes ${formatBytes(peak)}, and there are ${formatBytes(bounds.total)} beside the host's own arrays.`;
        refused = { reason, isTotal: true };
      }
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
      const [reason = ''] = error.message.split('\n', 1);
      refused = { reason, isTotal: false };
    }
    let refusal: Refusal | null = null;
    if (refused !== null) {
      refusal = { ...refused, remedy: await findRemedy(rehearsal, stage, config, bounds) };
      counting = await openCounting(device, UNLIMITED);
      written = await runUnlimited(rehearsal, stage, config, counting);
    }
    found.push({
      stage: stage.name,
      deviceBytes: written && counting.memory.peak,
      diskBytes: written && (await rehearsal.bytesOf(written, config)),
      refusal,
    });
    if (refusal !== null) counting = await openCounting(device);
  }
  return found;
}

/**
 * What every stage takes of device memory and disk, in order. A stage that does not fit the device is counted as if it did,
 * and told with the setting that would make it fit.
 *
 * @param deadline by `performance.now()`; from then on no more settings are tried
 * @param total bytes that the device can hold at a time, where that is known
 */
export async function rehearse(
  device: Device,
  config: Config,
  dataset: Dataset,
  deadline: number,
  total = Number.POSITIVE_INFINITY,
): Promise<StageSpace[]> {
  const path = await mkdtemp(join(tmpdir(), 'hypergrad-rehearsal-')).catch((cause: unknown) => {
    throw new StoreError(
      `No folder can be made in ${tmpdir()}: ${reasonOf(cause)}. Mend that, or set TMPDIR to a folder of yours.`,
      { cause },
    );
  });
  try {
    const folder = await RunFolder.open(path);
    try {
      return await rehearseIn(folder, device, config, dataset, { deadline, total });
    } finally {
      await folder.close();
    }
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}
