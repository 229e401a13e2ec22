/**
 * The rows of an evaluation as data: what each needs, and how its encoder comes about. To add one, name it in
 * `config/sections/evaluate.ts`, say in `rowNames.ts` what is known of it, and define it here.
 */
import { ConfigError } from '../../errors.js';
import { permutation } from '../../kernels/philox.js';
import type { EvaluationRow } from '../config/sections/evaluate.js';
import { significant } from '../report/wording.js';
import { takeRows } from '../stages/context.js';
import { lower } from '../stages/finite.js';
import type { Bench, EvaluationInputs, SourceImages } from './bench.js';
import type { KeptPretraining } from './keeper.js';
import type { RowTraining, TrainingTables } from './pretraining.js';
import { rowFacts } from './rowNames.js';
import { onSelfSupervisedSet } from './selfSupervisedPretraining.js';

/** θ of an encoder that starts at `start`, or goes on where it was kept; the repetition names what it draws. */
export type Pretrain = (
  start: Float32Array,
  repetition: number,
  kept: KeptPretraining,
) => Promise<Float32Array>;

export interface RowDefinition {
  /** What must be there for it. */
  readonly needs: readonly ('representations' | 'source' | 'highLoss' | 'selfSupervised')[];
  /** Compiles what the row needs; null for the teacher, whose representations are known without a student. */
  readonly prepare: ((bench: Bench) => Promise<Pretrain>) | null;
  /** What usually helps where its training diverges, as a sentence. */
  readonly remedy: (inputs: EvaluationInputs) => string;
}

const atConfiguredRate = ({ config }: EvaluationInputs): string => lower(config, 'evaluate.learningRate');

/** The learnt α of a set, or the rate of the configuration for one that has none. */
const rateOf = ({ synthetic, config }: EvaluationInputs): number =>
  synthetic.innerStep ?? config.evaluate.learningRate;

function trainingOf(bench: Bench, row: EvaluationRow, learningRate?: number): RowTraining {
  const { inputs } = bench;
  return {
    row: rowFacts[row].name,
    learningRate: learningRate ?? inputs.config.evaluate.learningRate,
    remedy: rowDefinitions[row].remedy(inputs),
  };
}

/** Pre-training on a set as large as the synthetic one, made anew for each repetition. */
async function onSet(
  bench: Bench,
  training: RowTraining,
  tables: (repetition: number) => TrainingTables | Promise<TrainingTables>,
): Promise<Pretrain> {
  const subset = await bench.onSubset();
  return async (start, repetition, kept) =>
    subset.train(start, training, repetition, kept, await tables(repetition));
}

function sourceOf({ source }: EvaluationInputs): SourceImages {
  if (source === null) throw new ConfigError('There are no real images with targets to draw a subset from.');
  return source;
}

/** The source's rows of these numbers. */
async function subsetOf(inputs: EvaluationInputs, indices: Int32Array): Promise<TrainingTables> {
  const { images, targets } = sourceOf(inputs);
  return {
    images: await images.rows(indices),
    targets: takeRows(targets, inputs.representation, indices),
  };
}

/** A different subset in each repetition, drawn without replacement. */
function randomSubset(inputs: EvaluationInputs, repetition: number): Promise<TrainingTables> {
  const key = { seed: inputs.config.seed, purpose: 'evaluate.randomSubset', index: repetition };
  const order = permutation(key, sourceOf(inputs).count);
  return subsetOf(inputs, order.slice(0, inputs.synthetic.count));
}

/** Every row that `evaluate.rows` can name. */
export const rowDefinitions: Readonly<Record<EvaluationRow, RowDefinition>> = {
  randomEncoder: {
    needs: [],
    prepare: async () => async (start) => start,
    remedy: atConfiguredRate,
  },
  randomSubset: {
    needs: ['source'],
    prepare: (bench) =>
      onSet(bench, trainingOf(bench, 'randomSubset'), (repetition) => randomSubset(bench.inputs, repetition)),
    remedy: atConfiguredRate,
  },
  highLossSubset: {
    needs: ['source', 'highLoss'],
    prepare: async (bench) => {
      const subset = await subsetOf(bench.inputs, bench.inputs.highLoss!);
      return onSet(bench, trainingOf(bench, 'highLossSubset'), () => subset);
    },
    remedy: atConfiguredRate,
  },
  mkdt: {
    needs: [],
    prepare: (bench) =>
      onSet(bench, trainingOf(bench, 'mkdt', rateOf(bench.inputs)), () => bench.inputs.synthetic),
    remedy(inputs) {
      const { innerStep } = inputs.synthetic;
      if (innerStep === null) return atConfiguredRate(inputs);
      const remedy = lower(inputs.config, 'distil.innerStep.learningRate', 'distil.innerStep.initial');
      return `The row trains at the α that was learnt with the set, ${significant(innerStep)}. ${remedy}`;
    },
  },
  trajectoryMatchingOnSsl: {
    needs: ['selfSupervised'],
    prepare(bench) {
      const set = bench.inputs.selfSupervised!;
      return onSelfSupervisedSet(bench, set, trainingOf(bench, 'trajectoryMatchingOnSsl', set.innerStep));
    },
    remedy: ({ config }) =>
      lower(config, 'selfSupervised.innerStep.learningRate', 'selfSupervised.innerStep.initial'),
  },
  allData: {
    needs: ['source'],
    prepare: async (bench) => {
      const all = await bench.onAll(sourceOf(bench.inputs));
      const training = trainingOf(bench, 'allData');
      return (start, repetition, kept) => all.train(start, training, repetition, kept);
    },
    remedy: atConfiguredRate,
  },
  teacher: { needs: ['representations'], prepare: null, remedy: atConfiguredRate },
};
