/** One stage of a run: skipped where it is done, else begun or gone on with, and entered in the manifest when it is finished. */
import { profile } from '../autograd/profile/profile.js';
import {
  type CheckpointOptions,
  forgetCheckpoint,
  interrupted,
  openCheckpoints,
  type StageCheckpoints,
} from './checkpoints.js';
import { partInputs, partName, partsOf } from './parts.js';
import type { Session } from './session.js';
import { hashedInputs, inputsOf, nameOfInputs } from './stageInputs.js';
import type { Stage } from './stageList.js';
import type { StageContext } from './stages/context.js';
import { roundSeconds, stopwatch } from './stopwatch.js';
import { TIMINGS } from './store/fileNames.js';
import { hashInputs } from './store/manifest.js';

/** Dispatches of a stage that are measured where profiles are wanted: the first ones, so that the rest runs at full speed. */
const PROFILED_DISPATCHES = 10_000;

/** What the one who stopped a stage does next. */
function adviceOf({ beginsAnew }: Stage, isForced: boolean): string {
  if (beginsAnew) return 'The stages before it are kept: give the same command again, and it begins anew.';
  return `What is done is kept: give the same command again${isForced ? ', without --force,' : ''} to go on.`;
}

/** What each part of a stage reads, as it is hashed. */
const partReadsOf = (stage: Stage, session: Session): Record<string, unknown> =>
  hashedInputs(inputsOf({ ...stage, reads: stage.partReads ?? stage.reads }, session));

const savingTimings =
  ({ folder, timings }: Session) =>
  (): Promise<void> =>
    folder.writeText(TIMINGS, `${JSON.stringify(timings, null, 2)}\n`);

/** Opens a stage's checkpoints, and leaves of its events those that the checkpoint counts. */
async function resume(
  stage: Stage,
  { folder, events, signal, checkpointSeconds }: Session,
  options: Pick<CheckpointOptions, 'inputs' | 'watch' | 'advice'>,
): Promise<StageCheckpoints> {
  const checkpoints = await openCheckpoints({
    ...{ folder, events, stage: stage.name, ...options },
    ...(stage.tellsAgain ? { tellsAgain: true } : {}),
    ...(signal === undefined ? {} : { signal }),
    ...(checkpointSeconds === undefined ? {} : { intervalSeconds: checkpointSeconds }),
  });
  let told = 0;
  await events.truncateStage(stage.name, () => told++ < checkpoints.eventCount);
  return checkpoints;
}

/**
 * Runs a stage, unless it is done already. The order in which things reach the disk makes a kill at any moment safe: the stage is
 * struck from the manifest before anything of it changes, its events are there before a checkpoint that counts them, and it
 * is entered again, by the hashes of its files, when all else is written.
 *
 * @throws InterruptedError when the run is to stop, once the stage is kept.
 */
export async function runStage(stage: Stage, session: Session): Promise<void> {
  const { config, dataset, device, folder, progress, profiled, events, timings, signal } = session;
  const { name } = stage;
  const reads = inputsOf(stage, session);
  const inputs = nameOfInputs(reads);
  const isForced = session.force?.has(name) ?? false;
  if (!isForced && (await folder.stageIsDone(name, inputs))) {
    await folder.completeRecord(name, { ...reads });
    // One is left where the run was killed between the two last lines of this function.
    await forgetCheckpoint(folder, name);
    progress.skipped(name);
    return;
  }
  await folder.forgetStage(name, { parts: isForced });
  if (isForced) {
    await forgetCheckpoint(folder, name);
    session.force?.delete(name);
  }

  const watch = stopwatch();
  const advice = adviceOf(stage, isForced);
  const partReads = partReadsOf(stage, session);
  const checkpoints = await resume(stage, session, { inputs: hashInputs(partReads), watch, advice });
  progress.started(name, stage.steps(config, dataset), stage.unit);
  const saveTimings = savingTimings(session);
  const parts = partsOf({ folder, stage: name, reads: partReads, timings, saveTimings, watch });
  const context: StageContext = session.contextOf(name);
  const advance: StageContext['advance'] = (done, loss) => {
    context.advance(done, loss);
    // All others stop where they are kept.
    if (stage.beginsAnew && signal?.aborted) throw interrupted(name, advice);
  };
  const work = (): Promise<string[]> => stage.run({ ...context, advance, parts, checkpoints });
  let written: string[] = [];
  if (profiled === undefined) written = await work();
  else {
    const measured = async (): Promise<void> => {
      written = await work();
    };
    profiled(name, await profile(device, measured, { maximumDispatches: PROFILED_DISPATCHES }));
  }
  await events.flush();
  timings[name] = roundSeconds(watch.total + parts.reusedSeconds);
  await saveTimings();
  await folder.recordStage(name, inputs, written, { ...reads });
  await forgetCheckpoint(folder, name);
  progress.finished(name, timings[name]!);
}

/**
 * Runs one part of a stage by itself, unless it is done, and enters it in the manifest as the stage would. The folder need hold
 * neither the stage's other parts nor the stage.
 *
 * @throws InterruptedError when the run is to stop, once the part is kept.
 */
export async function runPart(stage: Stage, part: string, session: Session): Promise<void> {
  const { config, dataset, folder, progress, events, timings } = session;
  const { name, unit } = stage;
  const watch = stopwatch();
  const reads = partReadsOf(stage, session);
  const parts = partsOf({ folder, stage: name, reads, timings, saveTimings: savingTimings(session), watch });
  if (await parts.isDone(part)) {
    await forgetCheckpoint(folder, name);
    progress.skipped(name);
    return;
  }
  const inputs = partInputs(reads, part);
  const checkpoints = await resume(stage, session, { inputs, watch, advice: adviceOf(stage, false) });
  progress.started(name, stage.part!.steps(config, dataset, part), unit);
  const written = await stage.part!.run({ ...session.contextOf(name), checkpoints }, part);
  await events.flush();
  await parts.record(part, written);
  await forgetCheckpoint(folder, name);
  progress.finished(name, timings[partName(name, part)]!);
}

/** Enters a stage whose parts are all in the manifest already, with what they made. */
export async function gatherParts(
  stage: Stage,
  source: Pick<Session, 'config' | 'data' | 'tuning' | 'given' | 'folder'>,
): Promise<void> {
  const { config, folder } = source;
  const reads = inputsOf(stage, source);
  const names = (stage.parts?.(config) ?? []).map((part) => partName(stage.name, part));
  const made = names.flatMap((name) => Object.keys(folder.recordOf(name)?.artefacts ?? {}));
  await folder.recordStage(stage.name, nameOfInputs(reads), made, { ...reads });
}
