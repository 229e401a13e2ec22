/**
 * A run: the stages of MKDT in order over one folder. A stage whose inputs are those of its last time, and whose artefacts
 * are unchanged, is skipped.
 */
import { createHash } from 'node:crypto';
import { stringify } from 'yaml';
import { z } from 'zod';
import { type Profile, profile } from '../autograd/profile/profile.js';
import type { Device } from '../gpu/device.js';
import { interrupted, openCheckpoints } from './checkpoints.js';
import { subsetSize } from './config/rules.js';
import type { Config } from './config/schema.js';
import type { Dataset } from './data/dataset.js';
import { writeStandardisation } from './data/standardisation.js';
import { partsOf } from './parts.js';
import type { Progress, StageName } from './progress.js';
import type { RunResult } from './report/types.js';
import { hashedInputs, inputsOf, nameOfInputs } from './stageInputs.js';
import { type Stage, stages, stagesOf } from './stageList.js';
import type { StageContext } from './stages/context.js';
import { hashGivenTargets } from './stages/givenTargets.js';
import { writeReport } from './stages/report.js';
import { requireSpace } from './stages/trajectories.js';
import { EventLog } from './store/events.js';
import type { RunFolder } from './store/runFolder.js';
import { tuningName } from './tune/tuningName.js';

/** Milliseconds after which a running stage's events are written, so that its curve can be watched. */
const FLUSH_AFTER = 2000;

/** Dispatches of a stage that are measured where profiles are wanted: the first ones, so that the rest runs at full speed. */
const PROFILED_DISPATCHES = 10_000;

/** Images that are standardised at a time to be hashed. */
const HASHED_ROWS = 256;

const TIMINGS = 'timings.json';
const timingsSchema = z.record(z.string(), z.number());

/** What a run is made from. */
export interface RunOptions {
  /** The checked configuration, as `resolveConfig` gives it. */
  readonly config: Config;
  /** The data that `config.data` names, loaded by `loadDataset` before the folder was touched. */
  readonly dataset: Dataset;
  /** Where the artefacts lie; stages that are done there are skipped. */
  readonly folder: RunFolder;
  /** What computes. */
  readonly device: Device;
  /** The command that repeats the run, for the report. */
  readonly command: string;
  /** When it is aborted, the run ends after the step that it is in, kept as it is then, with an `InterruptedError`. */
  readonly signal?: AbortSignal;
  /** Seconds of work between two checkpoints of a stage; 60 by default. */
  readonly checkpointSeconds?: number;
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

/** Seconds of the stages as measured when they ran; a file that cannot be read costs only those figures. */
async function readTimings(folder: RunFolder): Promise<Record<string, number>> {
  if (!(await folder.exists(TIMINGS))) return {};
  const text = new TextDecoder().decode(await folder.readBytes(TIMINGS));
  try {
    return timingsSchema.parse(JSON.parse(text));
  } catch {
    return {};
  }
}

/** One process' work on a folder: what every stage is run with. */
export interface Session extends Omit<RunOptions, 'command'> {
  /** SHA-256 of the images and labels. */
  readonly data: string;
  /** Name of the device's tuning; absent without one, so that folders of the usual block sizes stay valid. */
  readonly tuning: string | undefined;
  /** SHA-256 of the representations that `targets.from` names; absent where a teacher is trained. */
  readonly given: string | undefined;
  readonly events: EventLog;
  /** Seconds of each stage, measured when it ran. */
  readonly timings: Record<string, number>;
  readonly contextOf: (name: StageName) => StageContext;
}

/** Stages that end by themselves when the run is to stop, once they are kept. */
const keepingThemselves: ReadonlySet<StageName> = new Set(
  stages.flatMap(({ name, keepsCheckpoints }) => (keepsCheckpoints ? [name] : [])),
);

/** Writes the configuration into the folder and opens what the stages write beside their artefacts. */
export async function openSession(options: Omit<RunOptions, 'command'>): Promise<Session> {
  const { config, dataset, folder, device, progress, signal } = options;
  await folder.writeText('config.yaml', stringify(config));
  await writeStandardisation(folder, dataset);
  const events = new EventLog(folder.pathOf('events.jsonl'), folder.disk);
  let flushed = performance.now();
  const contextOf = (name: StageName): StageContext => ({
    config,
    dataset,
    device,
    folder,
    events,
    advance(done, loss) {
      progress.advanced(name, done, loss);
      if (signal?.aborted && !keepingThemselves.has(name)) throw interrupted(name);
      if (performance.now() - flushed < FLUSH_AFTER) return;
      flushed = performance.now();
      // What cannot be written now stays pending, and the flush at the stage's end tells it.
      events.flush().catch(() => undefined);
    },
  });
  return {
    ...options,
    data: await hashDataset(dataset),
    tuning: tuningName(device),
    given: await hashGivenTargets(config.targets),
    events,
    timings: await readTimings(folder),
    contextOf,
  };
}

/** Hash of all that a stage reads; the stages before it must be finished. */
export const stageInputs = (
  stage: Pick<Stage, 'reads' | 'after'>,
  source: Pick<Session, 'config' | 'data' | 'tuning' | 'given' | 'folder'>,
): string => nameOfInputs(inputsOf(stage, source));

/** Runs a stage, unless it is done already. */
export async function runStage(stage: Stage, session: Session): Promise<void> {
  const { config, dataset, device, folder, progress, profiled, events, timings } = session;
  const reads = inputsOf(stage, session);
  const inputs = nameOfInputs(reads);
  if (await folder.stageIsDone(stage.name, inputs)) {
    await folder.completeRecord(stage.name, { ...reads });
    progress.skipped(stage.name);
    return;
  }
  await folder.forgetStage(stage.name);
  const checkpoints = await openCheckpoints({
    ...{ folder, events, inputs, stage: stage.name },
    ...(session.signal === undefined ? {} : { signal: session.signal }),
    ...(session.checkpointSeconds === undefined ? {} : { intervalSeconds: session.checkpointSeconds }),
  });
  let said = 0;
  await events.truncateStage(stage.name, () => said++ < checkpoints.eventCount);
  progress.started(stage.name, stage.steps(config, dataset), stage.unit);
  const start = performance.now();
  const saveTimings = (): Promise<void> => folder.writeText(TIMINGS, `${JSON.stringify(timings, null, 2)}\n`);
  const parts = partsOf({
    folder,
    stage: stage.name,
    reads: hashedInputs(inputsOf({ ...stage, reads: stage.partReads ?? stage.reads }, session)),
    timings,
    saveTimings,
  });
  const work = (): Promise<string[]> => stage.run({ ...session.contextOf(stage.name), parts, checkpoints });
  let written: string[] = [];
  if (profiled === undefined) written = await work();
  else {
    const measured = async (): Promise<void> => {
      written = await work();
    };
    profiled(stage.name, await profile(device, measured, { maximumDispatches: PROFILED_DISPATCHES }));
  }
  await events.flush();
  timings[stage.name] = Math.round(performance.now() - start + 1000 * parts.reusedSeconds) / 1000;
  await saveTimings();
  await folder.recordStage(stage.name, inputs, written, { ...reads });
  await checkpoints.forget();
  progress.finished(stage.name, timings[stage.name]!);
}

/** Runs every stage that is not done yet, and writes the report. */
export async function runPipeline({ command, ...options }: RunOptions): Promise<RunResult> {
  const { config, dataset } = options;
  const session = await openSession(options);
  // Before anything is computed: the teacher alone may take hours.
  await requireSpace(options);
  for (const stage of stagesOf(config)) await runStage(stage, session);
  const { timings } = session;
  const count = subsetSize(config.subset.fraction, dataset.train.count);
  return await writeReport(session.contextOf('report'), {
    title: `${dataset.name}: ${dataset.train.count} images distilled to ${count}`,
    command,
    seconds: Object.fromEntries(
      stagesOf(config).flatMap(({ name }) => (timings[name] === undefined ? [] : [[name, timings[name]]])),
    ),
  });
}
