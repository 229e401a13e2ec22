import { describe, expect, it } from 'vitest';
import { resolveConfig } from '../../../src/pipeline/config/resolve.js';
import type { EvaluationRow } from '../../../src/pipeline/config/sections/evaluate.js';
import type { Dataset, ImageSet } from '../../../src/pipeline/data/dataset.js';
import type { EvaluationInputs } from '../../../src/pipeline/evaluate/bench.js';
import { encoderCount, evaluateEncoders } from '../../../src/pipeline/evaluate/evaluateEncoders.js';
import type { Evaluation, EvaluationTable } from '../../../src/pipeline/evaluate/record.js';
import { rowDefinitions } from '../../../src/pipeline/evaluate/rows.js';
import { takeRows } from '../../../src/pipeline/stages/context.js';
import { numbers } from '../../support/compare.js';
import { useDevice } from '../../support/device.js';
import { imageSetOf } from '../../support/imageSet.js';

const device = useDevice();

const ELEMENTS = 25;
const REPRESENTATION = 3;
const HIGH_LOSS = Int32Array.of(3, 17, 8, 0);

function imageSet(name: string, count: number): ImageSet {
  const images = numbers(1, name, count * ELEMENTS);
  return imageSetOf(
    images,
    Int32Array.from({ length: count }, (_, k) => k % 2),
    count,
  );
}

const dataset: Dataset = {
  name: 'made up',
  image: [1, 5, 5],
  classes: ['even', 'odd'],
  train: imageSet('train', 20),
  test: imageSet('test', 13),
  mean: [0],
  deviation: [1],
  close() {},
};
const representations = {
  train: numbers(1, 'trainTargets', 20 * REPRESENTATION),
  test: numbers(1, 'testTargets', 13 * REPRESENTATION),
};
const source = { images: dataset.train, targets: representations.train, count: 20 };
const synthetic = {
  images: takeRows(dataset.train.images, ELEMENTS, HIGH_LOSS),
  targets: takeRows(source.targets, REPRESENTATION, HIGH_LOSS),
  count: HIGH_LOSS.length,
  innerStep: 0.1,
};

async function inputsOf(
  sets: readonly string[],
  changes: Partial<EvaluationInputs> = {},
): Promise<EvaluationInputs> {
  const config = resolveConfig({ preset: 'tiny-test', sets: ['evaluate.batch=3', ...sets] });
  return {
    device: await device(),
    config,
    dataset,
    representations,
    source,
    synthetic,
    selfSupervised: null,
    highLoss: HIGH_LOSS,
    representation: REPRESENTATION,
    advance() {},
    ...changes,
  };
}

const evaluated = async (
  sets: readonly string[],
  changes: Partial<EvaluationInputs> = {},
): Promise<Evaluation> => evaluateEncoders(await inputsOf(sets, changes));

const rowsSet = (...rows: EvaluationRow[]) => `evaluate.rows=[${rows.join(', ')}]`;
const namesOf = (table: EvaluationTable) => [...new Set(table.rows.map(({ name }) => name))];
const accuraciesOf = (table: EvaluationTable, name: string) =>
  table.rows.filter((row) => row.name === name).map(({ labels, accuracies }) => [labels, accuracies]);
const errorsOf = (table: EvaluationTable, name: string) =>
  table.heldOut.find((row) => row.name === name)?.errors;

describe('the rows of an evaluation', () => {
  it('are those that are chosen, in the order in which they are named', async () => {
    const table = await evaluated([rowsSet('teacher', 'mkdt', 'randomEncoder')]);
    expect(namesOf(table)).toEqual(['teacher', 'MKDT', 'random encoder']);
    expect(table.rows.map(({ labels }) => labels)).toEqual([0.05, 0.2, 0.05, 0.2, 0.05, 0.2]);
    expect(table.rows.every(({ accuracies }) => accuracies.length === 2)).toBe(true);
    expect(table.heldOut.map(({ name }) => name)).toEqual(['MKDT', 'random encoder']);
  });

  it('do not depend on what else is chosen, nor on the order', async () => {
    const all = await evaluated([]);
    const some = await evaluated([rowsSet('mkdt', 'allData', 'randomSubset')]);
    for (const name of namesOf(some)) {
      expect(accuraciesOf(some, name)).toEqual(accuraciesOf(all, name));
      expect(errorsOf(some, name)).toEqual(errorsOf(all, name));
    }
    expect(await evaluated([])).toEqual(all);
  });

  it('take the high-loss subset from the images of highest loss, whatever the synthetic set has become', async () => {
    const rows = rowsSet('highLossSubset', 'mkdt');
    const same = await evaluated([rows]);
    // The set that has not moved, at the rate of the subsets, is the subset.
    expect(errorsOf(same, 'MKDT')).toEqual(errorsOf(same, 'high-loss subset'));
    const moved = { ...synthetic, images: synthetic.images.map((pixel) => 2 * pixel - 1) };
    const other = await evaluated([rows], { synthetic: moved });
    expect(errorsOf(other, 'high-loss subset')).toEqual(errorsOf(same, 'high-loss subset'));
    expect(errorsOf(other, 'MKDT')).not.toEqual(errorsOf(same, 'MKDT'));
  });

  it('pre-train real images at the configured rate and the synthetic ones at the learnt α', async () => {
    const rows = rowsSet('highLossSubset', 'mkdt');
    const usual = await evaluated([rows]);
    const faster = await evaluated([rows], { synthetic: { ...synthetic, innerStep: 0.2 } });
    expect(errorsOf(faster, 'high-loss subset')).toEqual(errorsOf(usual, 'high-loss subset'));
    expect(errorsOf(faster, 'MKDT')).not.toEqual(errorsOf(usual, 'MKDT'));
    const configured = await evaluated([rows, 'evaluate.learningRate=0.2']);
    expect(errorsOf(configured, 'MKDT')).toEqual(errorsOf(usual, 'MKDT'));
    expect(errorsOf(configured, 'high-loss subset')).toEqual(errorsOf(faster, 'MKDT'));
  });

  it('have no distance to the teacher where there is none', async () => {
    const table = await evaluated([rowsSet('randomEncoder', 'mkdt')], {
      representations: null,
      source: null,
    });
    expect(namesOf(table)).toEqual(['random encoder', 'MKDT']);
    expect(table.heldOut).toEqual([]);
  });

  it('leave the distance to the teacher alone where the images have no labels', async () => {
    const unlabelled = { ...dataset, test: { ...dataset.test, labels: null }, classes: [] };
    const rows = rowsSet('mkdt', 'teacher');
    const table = await evaluated([rows], { dataset: unlabelled });
    expect(table.rows).toEqual([]);
    expect(table.heldOut).toEqual((await evaluated([rows])).heldOut);
    expect(encoderCount((await inputsOf([rows])).config.evaluate, unlabelled)).toBe(2);
  });

  it('draw subsets from other images than the probes see, where the set was made from others', async () => {
    const elsewhere = {
      images: imageSetOf(numbers(2, 'elsewhere', 9 * ELEMENTS), null, 9),
      targets: numbers(2, 't', 9 * REPRESENTATION),
      count: 9,
    };
    const rows = rowsSet('randomEncoder', 'allData');
    const own = await evaluated([rows]);
    const other = await evaluated([rows], { source: elsewhere });
    expect(accuraciesOf(other, 'random encoder')).toEqual(accuraciesOf(own, 'random encoder'));
    expect(errorsOf(other, 'all data')).not.toEqual(errorsOf(own, 'all data'));
  });
});

describe('a row that cannot be trained', () => {
  it('is refused where its images are fewer than the set holds: the others would be of another row', async () => {
    const few = { ...source, count: HIGH_LOSS.length - 1 };
    await expect(evaluated([rowsSet('randomSubset')], { source: few })).rejects.toThrow(
      /^The row random subset got 9 numbers of targets for 4 images, which have 12/,
    );
  });

  it('is named where it diverges, with what its rate depends on', async () => {
    const fast = evaluated([rowsSet('mkdt')], { synthetic: { ...synthetic, innerStep: 1e30 } });
    await expect(fast).rejects.toThrow(
      /a student's (loss|θ) of the row MKDT of the stage evaluate.* learnt with the set, 1\.00e\+30\. .* lower distil\.innerStep/,
    );
    const inputs = await inputsOf([], { synthetic: { ...synthetic, innerStep: null } });
    expect(rowDefinitions.mkdt.remedy(inputs)).toMatch(/lower evaluate\.learningRate/);
  });

  it('has its θ looked at after the last step, whose loss came before it', async () => {
    const { images, count } = synthetic;
    const infinite = evaluated(
      [rowsSet('trajectoryMatchingOnSsl'), 'evaluate.epochs=1', 'evaluate.batch=4'],
      {
        selfSupervised: { images, count, innerStep: Number.POSITIVE_INFINITY },
      },
    );
    await expect(infinite).rejects.toThrow(
      /element \d+ of a student's θ of the row MTT on the SSL loss of the stage evaluate.* selfSupervised\.innerStep/,
    );
  });
});

describe('transfer to other architectures', () => {
  const sets = [
    rowsSet('randomEncoder', 'mkdt', 'teacher'),
    'evaluate.seeds=1',
    'evaluate.batch=4',
    'evaluate.epochs=3',
    'evaluate.transfer=[{architecture: mlp, depth: 1, width: 6}, {architecture: convNet, depth: 1, width: 4}, {architecture: resNet18, width: 1}]',
  ];

  it('gives a table for each, with equation (3), all but the teacher, and tells of every encoder', async () => {
    const done: number[] = [];
    const inputs = await inputsOf(sets, { advance: (count) => done.push(count) });
    const evaluation = await evaluateEncoders(inputs);
    expect(evaluation.transfer.map(({ student }) => student)).toEqual([
      { architecture: 'mlp', depth: 1, width: 6 },
      { architecture: 'convNet', depth: 1, width: 4 },
      { architecture: 'resNet18', width: 1 },
    ]);
    for (const table of evaluation.transfer) {
      expect(namesOf(table)).toEqual(['random encoder', 'MKDT']);
      expect(table.heldOut.map(({ name }) => name)).toEqual(['random encoder', 'MKDT']);
      for (const { errors } of table.heldOut) expect(errors.every(Number.isFinite)).toBe(true);
      expect(errorsOf(table, 'MKDT')).not.toEqual(errorsOf(table, 'random encoder'));
    }
    // The same sizes as the student: the same numbers.
    expect(accuraciesOf(evaluation.transfer[1]!, 'MKDT')).toEqual(accuraciesOf(evaluation, 'MKDT'));
    expect(errorsOf(evaluation.transfer[1]!, 'MKDT')).toEqual(errorsOf(evaluation, 'MKDT'));
    expect(done).toEqual(
      Array.from({ length: encoderCount(inputs.config.evaluate, dataset) }, (_, k) => k + 1),
    );
  });
});
