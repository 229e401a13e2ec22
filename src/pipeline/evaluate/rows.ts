/**
 * The rows of an evaluation as data: what each is called, what it needs, and how its encoder comes about. To add one, name it in
 * `config/sections/evaluate.ts` and define it here.
 */
import { ConfigError } from '../../errors.js';
import { permutation } from '../../kernels/philox.js';
import type { EvaluationRow } from '../config/sections/evaluate.js';
import {
  HIGH_LOSS_SUBSET_ROW,
  MKDT_ROW,
  RANDOM_ENCODER_ROW,
  RANDOM_SUBSET_ROW,
  SELF_SUPERVISED_ROW,
} from '../report/types.js';
import { takeRows } from '../stages/context.js';
import type { Bench, EvaluationInputs, SourceImages } from './bench.js';
import type { KeptPretraining } from './keeper.js';
import type { TrainingTables } from './pretraining.js';
import { onSelfSupervisedSet } from './selfSupervisedPretraining.js';

/** θ of an encoder that starts at `start`, or goes on where it was kept; the repetition names what it draws. */
export type Pretrain = (
  start: Float32Array,
  repetition: number,
  kept: KeptPretraining,
) => Promise<Float32Array>;

export interface RowDefinition {
  /** What tables call it. */
  readonly name: string;
  /** What must be there for it. */
  readonly needs: readonly ('representations' | 'source' | 'highLoss' | 'selfSupervised')[];
  /** Compiles what the row needs; null for the teacher, whose representations are known without a student. */
  readonly prepare: ((bench: Bench) => Promise<Pretrain>) | null;
}

/** Pre-training on a set as large as the synthetic one, made anew for each repetition. */
async function onSet(
  bench: Bench,
  learningRate: number,
  tables: (repetition: number) => TrainingTables | Promise<TrainingTables>,
): Promise<Pretrain> {
  const training = await bench.onSubset();
  return async (start, repetition, kept) =>
    training.train(start, learningRate, repetition, kept, await tables(repetition));
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
    name: RANDOM_ENCODER_ROW,
    needs: [],
    prepare: async () => async (start) => start,
  },
  randomSubset: {
    name: RANDOM_SUBSET_ROW,
    needs: ['source'],
    prepare: (bench) =>
      onSet(bench, bench.inputs.config.evaluate.learningRate, (repetition) =>
        randomSubset(bench.inputs, repetition),
      ),
  },
  highLossSubset: {
    name: HIGH_LOSS_SUBSET_ROW,
    needs: ['source', 'highLoss'],
    prepare: async (bench) => {
      const subset = await subsetOf(bench.inputs, bench.inputs.highLoss!);
      return onSet(bench, bench.inputs.config.evaluate.learningRate, () => subset);
    },
  },
  mkdt: {
    name: MKDT_ROW,
    needs: [],
    prepare: (bench) => onSet(bench, bench.inputs.synthetic.innerStep, () => bench.inputs.synthetic),
  },
  trajectoryMatchingOnSsl: {
    name: SELF_SUPERVISED_ROW,
    needs: ['selfSupervised'],
    prepare: (bench) => onSelfSupervisedSet(bench, bench.inputs.selfSupervised!),
  },
  allData: {
    name: 'all data',
    needs: ['source'],
    prepare: async (bench) => {
      const training = await bench.onAll(sourceOf(bench.inputs));
      return (start, repetition, kept) =>
        training.train(start, bench.inputs.config.evaluate.learningRate, repetition, kept);
    },
  },
  teacher: { name: 'teacher', needs: ['representations'], prepare: null },
};
