/**
 * The evaluation's protocol. For each architecture, seed and row a fresh student is pre-trained (or not, or on all data), then a
 * linear probe on its features sees a share of the labels. Rows of one seed share the student's initialisation and the
 * labelled images, so that their differences are paired. Images without labels leave the distance to the teacher alone.
 */
import { Encoder, rowErrors } from '../../nn/encoder.js';
import { initialParameters, type Model } from '../../nn/model.js';
import { fitProbe, probeAccuracy } from '../../nn/probe.js';
import type { Config } from '../config/schema.js';
import type { EvaluationRow } from '../config/sections/evaluate.js';
import type { Dataset } from '../data/dataset.js';
import { takeRows } from '../stages/context.js';
import { requireFinite } from '../stages/finite.js';
import { studentOf, transferredOf } from '../stages/students.js';
import { Bench, type EvaluationInputs } from './bench.js';
import { type EncoderResult, noKeeper } from './keeper.js';
import { labelCount, labelOrder } from './labelled.js';
import { type Evaluation, type EvaluationTable, evaluationOf } from './record.js';
import { rowFacts } from './rowNames.js';
import { type Pretrain, rowDefinitions } from './rows.js';

/** The rows whose encoders are students. The teacher is the same whatever the student: it stands in the first table alone. */
const studentRows = (rows: readonly EvaluationRow[]): EvaluationRow[] =>
  rows.filter((row) => rowDefinitions[row].prepare !== null);

/** The rows that can be measured: the teacher has nothing but probes, its distance to itself being 0. */
export function measurableRows(
  rows: readonly EvaluationRow[],
  { train, test }: Dataset,
): readonly EvaluationRow[] {
  return train.labels !== null && test.labels !== null ? rows : studentRows(rows);
}

/** Encoders that a configuration has evaluated. */
export function encoderCount({ seeds, rows, transfer }: Config['evaluate'], dataset: Dataset): number {
  return seeds * (measurableRows(rows, dataset).length + transfer.length * studentRows(rows).length);
}

/** The labelled images of one repetition, the most that any probe sees, and what they are labelled with. */
interface Labelled {
  readonly images: Int32Array;
  readonly labels: Int32Array;
  readonly testLabels: Int32Array;
}

function drawLabelled({ config, dataset }: EvaluationInputs, repetition: number): Labelled | null {
  const { labels } = dataset.train;
  const { labels: testLabels } = dataset.test;
  if (labels === null || testLabels === null) return null;
  const order = labelOrder(labels, dataset.classes.length, config.seed, repetition);
  const counts = config.evaluate.labels.map((share) => labelCount(share, dataset.train.count));
  const images = order.slice(0, Math.max(...counts));
  return { images, labels: Int32Array.from(images, (image) => labels[image]!), testLabels };
}

/** Features [count, dimension] of the labelled training images, and of all test images. */
interface Features {
  readonly dimension: number;
  readonly labelled: Float32Array;
  readonly test: Float32Array;
}

/** Test accuracy of a probe for each share of labels. */
function probeShares(
  { config, dataset }: EvaluationInputs,
  { labels, testLabels }: Labelled,
  { dimension, labelled, test }: Features,
): number[] {
  return config.evaluate.labels.map((share) => {
    const count = labelCount(share, dataset.train.count);
    const fitted = fitProbe(labelled.slice(0, count * dimension), labels.slice(0, count), {
      classes: dataset.classes.length,
      dimension,
      regularisation: config.evaluate.probe.regularisation,
    });
    return probeAccuracy(fitted, test, testLabels);
  });
}

/** The encoders of one architecture: for each repetition, a row after the other. */
interface Series {
  readonly model: Model;
  readonly rows: readonly EvaluationRow[];
  /** Told what each student gives for the test images. */
  readonly encoded?: EvaluationInputs['encoded'];
}

/** The repetitions of a series that are evaluated, `from` to before `to`; `first` is where its repetition 0 begins in the results. */
interface Extent {
  readonly first: number;
  readonly from: number;
  readonly to: number;
}

/** Each architecture's rows: the student's, then those of `transfer`. */
const rowsOfSeries = (
  { rows, transfer }: Config['evaluate'],
  dataset: Dataset,
): (readonly EvaluationRow[])[] => [measurableRows(rows, dataset), ...transfer.map(() => studentRows(rows))];

function seriesOf({ config, dataset, representation, encoded }: EvaluationInputs): Series[] {
  const models = [
    studentOf(config.student, dataset.image, representation),
    ...config.evaluate.transfer.map((other) => transferredOf(other, dataset.image, representation)),
  ];
  return rowsOfSeries(config.evaluate, dataset).map((rows, k) => ({
    model: models[k]!,
    rows,
    ...(k === 0 ? { encoded } : {}),
  }));
}

/** Evaluates the encoders of a series that `results` does not have yet. */
async function evaluateSeries(
  inputs: EvaluationInputs,
  { model, rows, encoded }: Series,
  { first, from, to }: Extent,
  results: EncoderResult[],
): Promise<void> {
  const { config, dataset, device, representations, keeper = noKeeper } = inputs;
  if (results.length >= first + to * rows.length) return;
  const bench = new Bench(inputs, model);
  try {
    const trainEncoder = bench.own(await Encoder.create(device, model, await bench.trainImages()));
    const testImages = await bench.place(dataset.test, 'evaluate.test');
    const testEncoder = bench.own(await Encoder.create(device, model, testImages));
    const pretrainings: (Pretrain | null)[] = [];
    for (const id of rows) pretrainings.push((await rowDefinitions[id].prepare?.(bench)) ?? null);

    const evaluateOne = async (
      row: EvaluationRow,
      pretrain: Pretrain | null,
      start: Float32Array,
      repetition: number,
      labelled: Labelled | null,
    ): Promise<EncoderResult> => {
      const probe = (features: Features): number[] =>
        labelled === null ? [] : probeShares(inputs, labelled, features);
      const images = labelled?.images ?? new Int32Array(0);
      if (pretrain === null) {
        const { train, test } = representations!;
        const dimension = inputs.representation;
        const accuracies = probe({ dimension, labelled: takeRows(train, dimension, images), test });
        return { accuracies, error: null };
      }
      const theta = await pretrain(start, repetition, keeper.pretraining(results));
      const known = await trainEncoder.encode(theta, images);
      const unseen = await testEncoder.encode(theta);
      const dimension = model.featureCount;
      const accuracies = probe({ dimension, labelled: known.features, test: unseen.features });
      if (representations === null) return { accuracies, error: null };
      const errors = rowErrors(unseen.outputs, representations.test, inputs.representation);
      const error = errors.reduce((total, error) => total + error, 0) / errors.length;
      const what = `a student's error on test images, of the row ${rowFacts[row].name} of the stage evaluate, in repetition ${repetition},`;
      requireFinite(error, what, rowDefinitions[row].remedy(inputs));
      encoded?.(row, repetition, unseen.outputs);
      return { accuracies, error };
    };

    for (let repetition = from; repetition < to; repetition++) {
      const start = initialParameters(model.parameters, {
        seed: config.seed,
        purpose: 'evaluate.student',
        index: repetition,
      });
      const labelled = drawLabelled(inputs, repetition);
      for (const [k, pretrain] of pretrainings.entries()) {
        if (first + repetition * rows.length + k < results.length) continue;
        results.push(await evaluateOne(rows[k]!, pretrain, start, repetition, labelled));
        inputs.advance(results.length);
        await keeper.reached(results);
      }
    }
  } finally {
    bench.release();
  }
}

/** What a series has given, a row after the other, each seed by itself. */
function tableOf(
  rows: readonly EvaluationRow[],
  shares: readonly number[],
  results: readonly EncoderResult[],
): EvaluationTable {
  const byRow = rows.map((id, k) => ({
    name: rowFacts[id].name,
    given: results.filter((_, index) => index % rows.length === k),
  }));
  return {
    rows: byRow.flatMap(({ name, given }) =>
      shares.flatMap((labels, k) => {
        const accuracies = given.flatMap((result) => result.accuracies.slice(k, k + 1));
        return accuracies.length === 0 ? [] : [{ name, labels, accuracies }];
      }),
    ),
    heldOut: byRow.flatMap(({ name, given }) => {
      const errors = given.flatMap(({ error }) => (error === null ? [] : [error]));
      return errors.length === 0 ? [] : [{ name, errors }];
    }),
  };
}

/** The evaluation that encoders have given, in the order of architectures, repetitions and rows. */
export function evaluationFrom(
  { evaluate }: Pick<Config, 'evaluate'>,
  dataset: Dataset,
  results: readonly EncoderResult[],
): Evaluation {
  const { transfer, labels, seeds } = evaluate;
  let first = 0;
  const [own, ...others] = rowsOfSeries(evaluate, dataset).map((rows) => {
    const end = first + seeds * rows.length;
    const table = tableOf(rows, labels, results.slice(first, end));
    first = end;
    return table;
  });
  return evaluationOf(
    own!,
    others.map((table, k) => ({ student: transfer[k]!, ...table })),
  );
}

/**
 * Evaluates the rows of `config.evaluate` with the student, and with every architecture of `transfer`. The synthetic set is
 * trained on with the α that was learnt for the student, whatever the architecture.
 *
 * @throws NumericsError when a loss, an error or features are not finite, because a student has diverged.
 */
export async function evaluateEncoders(inputs: EvaluationInputs): Promise<Evaluation> {
  const { config, dataset, keeper = noKeeper } = inputs;
  const { seeds } = config.evaluate;
  const results = [...keeper.results];
  let first = 0;
  for (const series of seriesOf(inputs)) {
    await evaluateSeries(inputs, series, { first, from: 0, to: seeds }, results);
    first += seeds * series.rows.length;
  }
  return evaluationFrom(config, dataset, results);
}

/** A part of an evaluation that can be made by itself: the encoders of one architecture and repetition. */
export interface EvaluationShare {
  /** 0 is the student, the others are the places in `evaluate.transfer`, counted from 1. */
  readonly architecture: number;
  /** From 0. */
  readonly repetition: number;
}

/** How many encoders a share has. */
export const shareSize = (
  { evaluate }: Pick<Config, 'evaluate'>,
  dataset: Dataset,
  { architecture }: EvaluationShare,
): number => rowsOfSeries(evaluate, dataset)[architecture]!.length;

/** The encoders of one share, with the bits that `evaluateEncoders` gives them. Throws as it does. */
export async function evaluateShare(
  inputs: EvaluationInputs,
  { architecture, repetition }: EvaluationShare,
): Promise<EncoderResult[]> {
  const series = seriesOf(inputs)[architecture]!;
  const results = [...(inputs.keeper ?? noKeeper).results];
  const first = -repetition * series.rows.length;
  await evaluateSeries(inputs, series, { first, from: repetition, to: repetition + 1 }, results);
  return results;
}
