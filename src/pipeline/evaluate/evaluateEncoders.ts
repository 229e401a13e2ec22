/**
 * The evaluation's protocol. For each architecture, seed and row a fresh student is pre-trained (or not, or on all data), then a
 * linear probe on its features sees a share of the labels. Rows of one seed share the student's initialisation and the
 * labelled images, so that their differences are paired. Images without labels leave the distance to the teacher alone.
 */
import { Encoder, rowErrors } from '../../nn/inference.js';
import { initialParameters, type Model } from '../../nn/model.js';
import { fitProbe, probeAccuracy } from '../../nn/probe.js';
import type { Config } from '../config/schema.js';
import type { EvaluationRow } from '../config/sections/evaluate.js';
import type { Dataset } from '../data/dataset.js';
import { takeRows } from '../stages/context.js';
import { Bench, type EvaluationInputs } from './bench.js';
import { labelCount, labelOrder } from './labelled.js';
import { type Evaluation, type EvaluationTable, evaluationOf } from './record.js';
import { type Pretrain, type RowDefinition, rowDefinitions } from './rows.js';
import { studentOf, transferredOf } from './students.js';

/** The rows whose encoders are students. The teacher is the same whatever the student: it stands in the first table alone. */
const studentRows = (rows: readonly EvaluationRow[]): EvaluationRow[] =>
  rows.filter((row) => rowDefinitions[row].prepare !== null);

/** The rows that can be measured: the teacher has nothing but probes, its distance to itself being 0. */
function measurableRows(rows: readonly EvaluationRow[], { train, test }: Dataset): readonly EvaluationRow[] {
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

/** What one row has given so far, a number a repetition. */
interface Measured {
  readonly row: RowDefinition;
  /** For each share of labels. */
  readonly accuracies: number[][];
  readonly errors: number[];
}

async function evaluateStudent(
  inputs: EvaluationInputs,
  model: Model,
  rows: readonly EvaluationRow[],
  advance: () => void,
): Promise<EvaluationTable> {
  const { config, dataset, device, representations } = inputs;
  const { seeds, labels: shares } = config.evaluate;
  const bench = new Bench(inputs, model);
  try {
    const trainEncoder = bench.own(await Encoder.create(device, model, await bench.trainImages()));
    const testImages = await bench.place(dataset.test, 'evaluate.test');
    const testEncoder = bench.own(await Encoder.create(device, model, testImages));
    const prepared: (Measured & { readonly pretrain: Pretrain | null })[] = [];
    for (const id of rows) {
      const row = rowDefinitions[id];
      const pretrain = row.prepare === null ? null : await row.prepare(bench);
      prepared.push({ row, pretrain, accuracies: shares.map(() => []), errors: [] });
    }

    for (let repetition = 0; repetition < seeds; repetition++) {
      const start = initialParameters(model.parameters, {
        seed: config.seed,
        purpose: 'evaluate.student',
        index: repetition,
      });
      const labelled = drawLabelled(inputs, repetition);
      const probe = ({ accuracies }: Measured, features: Features): void => {
        if (labelled === null) return;
        probeShares(inputs, labelled, features).forEach((accuracy, k) => {
          accuracies[k]!.push(accuracy);
        });
      };
      for (const row of prepared) {
        if (row.pretrain === null) {
          const { train, test } = representations!;
          const dimension = inputs.representation;
          const known = takeRows(train, dimension, labelled?.images ?? []);
          probe(row, { dimension, labelled: known, test });
        } else {
          const theta = await row.pretrain(start, repetition);
          const known = await trainEncoder.encode(theta, labelled?.images ?? new Int32Array(0));
          const unseen = await testEncoder.encode(theta);
          probe(row, { dimension: model.featureCount, labelled: known.features, test: unseen.features });
          if (representations !== null) {
            const errors = rowErrors(unseen.outputs, representations.test, inputs.representation);
            row.errors.push(errors.reduce((total, error) => total + error, 0) / errors.length);
          }
        }
        advance();
      }
    }
    return {
      rows: prepared.flatMap(({ row: { name }, accuracies }) =>
        shares.flatMap((labels, k) =>
          accuracies[k]!.length === 0 ? [] : [{ name, labels, accuracies: accuracies[k]! }],
        ),
      ),
      heldOut: prepared.flatMap(({ row: { name }, errors }) =>
        errors.length === 0 ? [] : [{ name, errors }],
      ),
    };
  } finally {
    bench.release();
  }
}

/**
 * Evaluates the rows of `config.evaluate` with the student, and with every architecture of `transfer`. The synthetic set is
 * trained on with the α that was learnt for the student, whatever the architecture.
 *
 * @throws ShapeError when features are not finite, because a student has diverged.
 */
export async function evaluateEncoders(inputs: EvaluationInputs): Promise<Evaluation> {
  const { config, dataset, representation } = inputs;
  const { rows, transfer } = config.evaluate;
  let done = 0;
  const advance = (): void => inputs.advance(++done);
  const student = studentOf(config.student, dataset.image, representation);
  const own = await evaluateStudent(inputs, student, measurableRows(rows, dataset), advance);
  const others: Evaluation['transfer'] = [];
  for (const other of transfer) {
    const model = transferredOf(other, dataset.image, representation);
    others.push({ student: other, ...(await evaluateStudent(inputs, model, studentRows(rows), advance)) });
  }
  return evaluationOf(own, others);
}
