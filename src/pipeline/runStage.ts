/** One stage of a run: skipped where it is done, else begun or gone on with, and entered in the manifest when it is finished. */
import { profile } from '../autograd/profile/profile.js';
import { forgetCheckpoint, interrupted, openCheckpoints } from './checkpoints.js';
import { partsOf } from './parts.js';
import { type Session, TIMINGS } from './session.js';
import { hashedInputs, inputsOf, nameOfInputs } from './stageInputs.js';
import type { Stage } from './stageList.js';
import type { StageContext } from './stages/context.js';
import { roundSeconds, stopwatch } from './stopwatch.js';
import { hashInputs } from './store/manifest.js';

/** Dispatches of a stage that are measured where profiles are wanted: the first ones, so that the rest runs at full speed. */
const PROFILED_DISPATCHES = 10_000;

/** What the one who stopped a stage does next. */
function adviceOf({ beginsAnew }: Stage, isForced: boolean): string {
  if (beginsAnew) return 'The stages before it are kept: give the same command again, and it begins anew.';
  return `What is done is kept: give the same command again${isForced ? ', without --force,' : ''} to go on.`;
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
  const partReads = hashedInputs(inputsOf({ ...stage, reads: stage.partReads ?? stage.reads }, session));
  const checkpoints = await openCheckpoints({
    ...{ folder, events, stage: name, inputs: hashInputs(partReads), watch, advice },
    ...(stage.tellsAgain ? { tellsAgain: true } : {}),
    ...(signal === undefined ? {} : { signal }),
    ...(session.checkpointSeconds === undefined ? {} : { intervalSeconds: session.checkpointSeconds }),
  });
  let told = 0;
  await events.truncateStage(name, () => told++ < checkpoints.eventCount);
  progress.started(name, stage.steps(config, dataset), stage.unit);
  const saveTimings = (): Promise<void> => folder.writeText(TIMINGS, `${JSON.stringify(timings, null, 2)}\n`);
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
