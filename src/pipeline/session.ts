/** One process' work on a folder: what is the same for all stages, and the context that each is run in. */
import { createHash } from 'node:crypto';
import { stringify } from 'yaml';
import { z } from 'zod';
import type { Profile } from '../autograd/profile/profile.js';
import type { Device } from '../gpu/device.js';
import type { Config } from './config/schema.js';
import type { Dataset } from './data/dataset.js';
import { writeStandardisation } from './data/standardisation.js';
import type { Progress, StageName } from './progress.js';
import type { InputSource } from './stageInputs.js';
import type { StageContext } from './stages/context.js';
import { hashGivenTargets } from './stages/givenTargets.js';
import { EVENTS, EventLog } from './store/events.js';
import { CONFIG, TIMINGS } from './store/fileNames.js';
import type { RunFolder } from './store/runFolder.js';
import { tuningName } from './tune/tuningName.js';

/** Milliseconds after which a running stage's events are written, so that its curve can be watched. */
const FLUSH_AFTER = 2000;

/** Images that are standardised at a time to be hashed. */
const HASHED_ROWS = 256;

const timingsSchema = z.record(z.string(), z.number());

/** What the stages of a run, or of a study, are run with. */
export interface SessionOptions {
  /** The checked configuration, as `resolveConfig` gives it. */
  readonly config: Config;
  /** The data that `config.data` names, loaded by `loadDataset` before the folder was touched. */
  readonly dataset: Dataset;
  /** Where the artefacts lie; stages that are done there are skipped. */
  readonly folder: RunFolder;
  /** What computes. */
  readonly device: Device;
  /** SHA-256 of the data and of given representations, where the caller knows them already. */
  readonly identity?: { readonly data: string; readonly given: string | undefined };
  /** When it is aborted, the run ends after the step that it is in, kept as it is then, with an `InterruptedError`. */
  readonly signal?: AbortSignal;
  /** Seconds of work between two checkpoints of a stage; 60 by default. */
  readonly checkpointSeconds?: number;
  /**
   * Stages that run anew though they are done; those behind run only where these leave other bytes. One that has begun leaves the
   * set, so that a second attempt with the same set, such as after the loss of a device, goes on with it.
   */
  readonly force?: Set<StageName>;
  /** Told of every stage; `silentProgress` says nothing. */
  readonly progress: Progress;
  /**
   * Where given, the first 10 000 dispatches of every stage that runs are measured, and this is told where its time went. No
   * artefact changes by it; the measured seconds do.
   */
  readonly profiled?: (stage: StageName, profile: Profile) => void;
}

/** SHA-256 of the images and labels that a run uses; a set without labels has none to hash. */
async function hashDataset({ train, test, mean, deviation }: Dataset): Promise<string> {
  const hash = createHash('sha256');
  const update = (data: Float32Array | Int32Array) =>
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  for (const { count, labels, rows } of [train, test]) {
    for (let start = 0; start < count; start += HASHED_ROWS) {
      update(
        await rows(Int32Array.from({ length: Math.min(HASHED_ROWS, count - start) }, (_, k) => start + k)),
      );
    }
    if (labels !== null) update(labels);
  }
  return hash.update(JSON.stringify({ mean, deviation })).digest('hex');
}

/** Seconds of the stages as measured when they ran; none where the file cannot be read: only those figures are lost. */
export async function readTimings(
  folder: Pick<RunFolder, 'exists' | 'readBytes'>,
): Promise<Record<string, number>> {
  if (!(await folder.exists(TIMINGS))) return {};
  try {
    return timingsSchema.parse(JSON.parse(new TextDecoder().decode(await folder.readBytes(TIMINGS))));
  } catch {
    return {};
  }
}

/** What every stage is run with. */
export interface Session extends SessionOptions, InputSource {
  readonly folder: RunFolder;
  readonly events: EventLog;
  /** Seconds of each stage, measured when it ran. */
  readonly timings: Record<string, number>;
  readonly contextOf: (name: StageName) => StageContext;
}

/** Writes what a run's folder says of the run as a whole: its configuration, and what its images were standardised by. */
export async function writeHead(folder: RunFolder, config: Config, dataset: Dataset): Promise<void> {
  await folder.writeText(CONFIG, stringify(config));
  await writeStandardisation(folder, dataset);
}

/** Writes the configuration into the folder and opens what the stages write beside their artefacts. */
export async function openSession(options: SessionOptions): Promise<Session> {
  const { config, dataset, folder, device, progress } = options;
  await writeHead(folder, config, dataset);
  const events = new EventLog(folder.pathOf(EVENTS), folder.disk);
  let flushed = performance.now();
  const contextOf = (name: StageName): StageContext => ({
    config,
    dataset,
    device,
    folder,
    events,
    advance(done, loss) {
      progress.advanced(name, done, loss);
      if (performance.now() - flushed < FLUSH_AFTER) return;
      flushed = performance.now();
      // What cannot be written now stays pending, and the flush at the stage's end tells it.
      events.flush().catch(() => undefined);
    },
  });
  return {
    ...options,
    ...(options.identity ?? (await identifyData(options))),
    tuning: tuningName(device),
    events,
    timings: await readTimings(folder),
    contextOf,
  };
}

/** What stands for data, device and given representations in the inputs of every stage. */
export async function identify({
  config,
  dataset,
  device,
}: Pick<SessionOptions, 'config' | 'dataset' | 'device'>): Promise<
  Pick<InputSource, 'data' | 'tuning' | 'given'>
> {
  return { ...(await identifyData({ config, dataset })), tuning: tuningName(device) };
}

/** The same without the device. */
export async function identifyData({
  config,
  dataset,
}: Pick<SessionOptions, 'config' | 'dataset'>): Promise<Pick<InputSource, 'data' | 'given'>> {
  return { data: await hashDataset(dataset), given: await hashGivenTargets(config.targets) };
}
