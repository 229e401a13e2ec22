/**
 * The stage `distil`. Every iteration draws an expert and a start epoch, trains a student from there for N steps on
 * the synthetic set, and moves pixels, targets and the inner step α down the gradient of the trajectory loss (MKDT
 * eq. 4), taken through all N steps, or the last of them.
 */
import { NumericsError, StoreError } from '../../errors.js';
import { files, type StageContext, studentModel } from './context.js';
import { drawBatches, drawStart, startEpochsAt } from './draws.js';
import { innerProblem } from './innerProblem.js';
import { OuterLoop, type OuterStep } from './outerLoop.js';
import { readAhead } from './readAhead.js';
import { startingSet } from './starts.js';
import { lastGood, SNAPSHOTS, snapshotFile, writeSyntheticSet } from './syntheticSet.js';
import type { SyntheticSet } from './syntheticTensors.js';
import { Trajectories } from './trajectories.js';

export async function distil(context: StageContext): Promise<string[]> {
  const { config, dataset, device, folder, events } = context;
  const { distil: settings } = config;
  const start = await startingSet(context);
  const problem = innerProblem(studentModel(context), dataset.image, start.count);
  const written: string[] = [];
  const write = async (
    names: { readonly tensors: string; readonly picture: string },
    set: SyntheticSet,
    metadata: Record<string, string> = {},
  ): Promise<void> => {
    await writeSyntheticSet(folder, names, set, start, dataset, metadata);
    written.push(names.tensors, names.picture);
  };
  const isSnapshot = (done: number): boolean => settings.snapshots > 0 && done % settings.snapshots === 0;
  const namesOf = (done: number) => ({
    tensors: snapshotFile(done, 'safetensors'),
    picture: snapshotFile(done, 'png'),
  });
  const resumed = context.checkpoints?.resumed ?? null;
  if (resumed === null) await folder.remove(SNAPSHOTS);
  for (let done = 1; done <= (resumed?.done ?? 0); done++) {
    if (!isSnapshot(done)) continue;
    const names = Object.values(namesOf(done));
    for (const name of names) await requireSnapshot(folder, name);
    written.push(...names);
  }
  const keepLastGood = async (error: NumericsError): Promise<NumericsError> => {
    const good = await loop.readLastGood();
    if (good === null) return error;
    const { iteration, ...set } = good;
    await writeSyntheticSet(folder, lastGood, set, start, dataset, { iterations: String(iteration) });
    const kept = `The last good set, as it was before iteration ${iteration}, is kept in ${folder.pathOf(lastGood.tensors)}`;
    return new NumericsError(`${error.message} ${kept}, with its picture beside it.`, { cause: error });
  };

  const loop = await OuterLoop.create({ device, problem, settings, start });
  try {
    if (resumed !== null) loop.restore(resumed);
    const first = resumed?.done ?? 0;
    let iteration = first;
    // Draws are known ahead: an iteration's checkpoints are read while the one before it computes.
    const trajectories = new Trajectories(context);
    const draw = (ahead: number): Promise<Drawn> =>
      drawIteration(context, trajectories, start.count, first + ahead);
    for await (const { draws, ...ends } of readAhead(settings.iterations - first, draw)) {
      const record = await loop.step(ends).catch(async (error: unknown) => {
        throw error instanceof NumericsError ? await keepLastGood(error) : error;
      });
      events.append({ stage: 'distil', iteration, ...record, ...draws });
      iteration++;
      context.advance(iteration, record.loss);
      if (isSnapshot(iteration)) {
        await write(namesOf(iteration), await loop.read(), { iterations: String(iteration) });
      }
      await context.checkpoints?.reached(iteration, () => loop.capture());
    }

    // A distillation that went on after all needs no set to fall back on.
    for (const file of Object.values(lastGood)) await folder.remove(file);
    const names = { tensors: files.synthetic, picture: files.images };
    const kept = await loop.readBest();
    if (kept === null) await write(names, await loop.read());
    else {
      const { iteration, smoothedLoss } = kept.best;
      await write(names, kept, {
        keep: 'best',
        iteration: String(iteration),
        smoothedLoss: String(smoothedLoss),
      });
    }
  } finally {
    loop.release();
  }
  return written;
}

/** A snapshot of the iterations before a checkpoint is not made again: without it the stage could not be finished. */
async function requireSnapshot(folder: StageContext['folder'], name: string): Promise<void> {
  if (await folder.exists(name)) return;
  throw new StoreError(
    `${folder.pathOf(name)} is missing, which the stage distil left before it was broken off. Put it back, or run the same command with --force distil to begin the stage anew.`,
  );
}

/** What an iteration starts from, and the draws that led to it. */
interface Drawn extends OuterStep {
  readonly draws: { readonly expert: number; readonly startEpoch: number; readonly startEpochs: number };
}

async function drawIteration(
  { config }: StageContext,
  trajectories: Trajectories,
  count: number,
  iteration: number,
): Promise<Drawn> {
  const { seed, experts, distil: settings } = config;
  const startEpochs = startEpochsAt(settings, iteration);
  const { expert, startEpoch } = drawStart(seed, iteration, experts.count, startEpochs);
  const [from, to] = await Promise.all([
    trajectories.checkpoint(expert, startEpoch),
    trajectories.checkpoint(expert, startEpoch + settings.expertEpochs),
  ]);
  const batches = drawBatches(seed, iteration, count, settings.batch, settings.steps);
  return { from, to, batches, draws: { expert, startEpoch, startEpochs } };
}
