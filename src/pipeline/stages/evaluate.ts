/** The stage `evaluate`: the synthetic set against its baselines, from what the stages before it left. */
import { matchesSelfSupervised } from '../config/rules.js';
import type { EvaluationRow } from '../config/sections/evaluate.js';
import type { EvaluationInputs } from '../evaluate/bench.js';
import { evaluateEncoders, evaluateShare, measurableRows } from '../evaluate/evaluateEncoders.js';
import { type EvaluationKeeper, keeperOf } from '../evaluate/keeper.js';
import { encodeEvaluation } from '../evaluate/record.js';
import { ShownOutputs, shownImages } from '../evaluate/representations.js';
import type { SelfSupervisedSet } from '../evaluate/selfSupervisedPretraining.js';
import { encodeShare, shareOf } from '../evaluate/shares.js';
import { files, type ReadableFolder, readTensors, type StageContext } from './context.js';

/** The set of the baseline that matches trajectories of the self-supervised loss. */
export async function readSelfSupervised(folder: ReadableFolder): Promise<SelfSupervisedSet> {
  const tensor = await readTensors(folder, files.selfSupervisedSynthetic);
  const { data, shape } = tensor('images');
  return {
    images: data as Float32Array,
    count: shape[0]!,
    innerStep: tensor('innerStep').data[0]!,
  };
}

/**
 * Keeps an evaluation where its stage is kept, with what the shown images became. One that was kept without them, by an earlier
 * version, begins anew.
 *
 * @param rows those of the encoders that come first, whose outputs are shown; none where no outputs are
 */
function keeping(
  { checkpoints }: StageContext,
  shown: ShownOutputs,
  rows: readonly EvaluationRow[],
): { readonly keeper?: EvaluationKeeper } {
  if (checkpoints === undefined) return {};
  const { resumed } = checkpoints;
  const goesOn = resumed !== null && shown.restore(resumed, rows);
  return { keeper: keeperOf(goesOn ? checkpoints : { ...checkpoints, resumed: null }, () => shown.kept) };
}

/** All that the evaluation of a run reads, from its folder, and what gathers the outputs that are shown. */
async function openEvaluation(
  context: StageContext,
  isShown: boolean,
): Promise<{ readonly inputs: EvaluationInputs; writeShown(): Promise<void> }> {
  const { config, dataset, device, folder } = context;
  const targets = await readTensors(folder, files.targets);
  const synthetic = await readTensors(folder, files.synthetic);
  const subset = await readTensors(folder, files.subset);
  const floats = (name: string): Float32Array => synthetic(name).data as Float32Array;
  const representations = {
    train: targets('train').data as Float32Array,
    test: targets('test').data as Float32Array,
  };
  const representation = targets('train').shape[1]!;
  const shown = new ShownOutputs(shownImages(dataset.test, config.seed), representation);
  const inputs: EvaluationInputs = {
    device,
    config,
    dataset,
    representations,
    source: { images: dataset.train, targets: representations.train, count: dataset.train.count },
    synthetic: {
      images: floats('images'),
      targets: floats('targets'),
      count: synthetic('images').shape[0]!,
      innerStep: floats('innerStep')[0]!,
    },
    selfSupervised: matchesSelfSupervised(config) ? await readSelfSupervised(folder) : null,
    highLoss: subset('indices').data as Int32Array,
    representation,
    ...keeping(context, shown, isShown ? measurableRows(config.evaluate.rows, dataset) : []),
    encoded: (row, repetition, outputs) => shown.take(row, repetition, outputs),
    advance: (done) => context.advance(done),
  };
  return { inputs, writeShown: () => shown.write(folder, representations.test, dataset) };
}

export async function evaluate(context: StageContext): Promise<string[]> {
  const { inputs, writeShown } = await openEvaluation(context, true);
  const evaluation = await evaluateEncoders(inputs);
  await context.folder.writeText(files.evaluation, encodeEvaluation(evaluation));
  await writeShown();
  return [files.evaluation, files.representations];
}

/**
 * Evaluates one share by itself: what its encoders have given is left in `files.evaluationShare`, and beside it what the first
 * share shows.
 */
export async function evaluatePart(context: StageContext, part: string): Promise<string[]> {
  const share = shareOf(part);
  const isShown = share.architecture === 0 && share.repetition === 0;
  const { inputs, writeShown } = await openEvaluation(context, isShown);
  const results = await evaluateShare(inputs, share);
  await context.folder.writeText(files.evaluationShare, encodeShare(results));
  if (!isShown) return [files.evaluationShare];
  await writeShown();
  return [files.evaluationShare, files.representations];
}
