/** Stage 6: evaluation of the synthetic set against its baselines, from what the stages before it left. */
import type { EvaluationInputs } from '../evaluate/bench.js';
import { evaluateEncoders, evaluateShare } from '../evaluate/evaluateEncoders.js';
import { keeperOf } from '../evaluate/keeper.js';
import { decodeEvaluation, type Evaluation, encodeEvaluation } from '../evaluate/record.js';
import type { SelfSupervisedSet } from '../evaluate/selfSupervisedPretraining.js';
import { encodeShare, shareOf } from '../evaluate/shares.js';
import type { RunFolder } from '../store/runFolder.js';
import { files, type ReadableFolder, readTensors, type StageContext } from './context.js';

/** @throws StoreError when the file is not an evaluation, or one of another version. */
export async function readEvaluation(folder: RunFolder): Promise<Evaluation> {
  const text = new TextDecoder().decode(await folder.readBytes(files.evaluation));
  return decodeEvaluation(text, folder.pathOf(files.evaluation));
}

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

/** All that the evaluation of a run reads, from its folder. */
async function inputsOf(context: StageContext): Promise<EvaluationInputs> {
  const { config, dataset, device, folder } = context;
  const targets = await readTensors(folder, files.targets);
  const synthetic = await readTensors(folder, files.synthetic);
  const subset = await readTensors(folder, files.subset);
  const floats = (name: string): Float32Array => synthetic(name).data as Float32Array;
  const representations = {
    train: targets('train').data as Float32Array,
    test: targets('test').data as Float32Array,
  };
  return {
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
    selfSupervised: config.evaluate.rows.includes('trajectoryMatchingOnSsl')
      ? await readSelfSupervised(folder)
      : null,
    highLoss: subset('indices').data as Int32Array,
    representation: targets('train').shape[1]!,
    ...(context.checkpoints === undefined ? {} : { keeper: keeperOf(context.checkpoints) }),
    advance: (done) => context.advance(done),
  };
}

export async function evaluate(context: StageContext): Promise<string[]> {
  const evaluation = await evaluateEncoders(await inputsOf(context));
  await context.folder.writeText(files.evaluation, encodeEvaluation(evaluation));
  return [files.evaluation];
}

/** Evaluates one share by itself: what its encoders have given is left in `files.evaluationShare`. */
export async function evaluatePart(context: StageContext, part: string): Promise<string[]> {
  const results = await evaluateShare(await inputsOf(context), shareOf(part));
  await context.folder.writeText(files.evaluationShare, encodeShare(results));
  return [files.evaluationShare];
}
