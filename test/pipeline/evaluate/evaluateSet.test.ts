import { expect, it } from 'vitest';
import { resolveConfig } from '../../../src/pipeline/config/resolve.js';
import type { Dataset } from '../../../src/pipeline/data/dataset.js';
import { evaluateSet, type TeacherRun } from '../../../src/pipeline/evaluate/evaluateSet.js';
import { numbers } from '../../support/compare.js';
import { useDevice } from '../../support/device.js';
import { imageSetOf } from '../../support/imageSet.js';

const device = useDevice();
const LABELS = Int32Array.from({ length: 6 }, (_, k) => k % 2);

const dataset: Dataset = {
  name: 'made up',
  image: [1, 5, 5],
  classes: ['even', 'odd'],
  train: imageSetOf(numbers(1, 'train', 6 * 25), LABELS, 6),
  test: imageSetOf(numbers(1, 'test', 6 * 25), LABELS, 6),
  mean: [0],
  deviation: [1],
  close() {},
};

it('leaves out a random subset of fewer images than the set has', async () => {
  const config = resolveConfig({
    preset: 'tiny-test',
    sets: [
      'evaluate.rows=[randomEncoder, randomSubset]',
      'evaluate.seeds=1',
      'evaluate.labels=[0.5]',
      'teacher.representation=3',
    ],
  });
  const own = {
    dataset,
    targets: { train: numbers(1, 'trainTargets', 18), test: numbers(1, 'testTargets', 18) },
    highLoss: new Int32Array(0),
  };
  const teacher = {
    config,
    hasTeacher: false,
    own,
    selfSupervised: null,
  } as Partial<TeacherRun> as TeacherRun;
  const { leftOut, evaluation } = await evaluateSet({
    device: await device(),
    config,
    dataset,
    set: {
      images: numbers(1, 'set', 8 * 25),
      count: 8,
      image: [1, 5, 5],
      targets: { data: numbers(1, 'setTargets', 8 * 3), representation: 3 },
      innerStep: null,
    },
    name: 'set',
    teacher,
    started() {},
    advance() {},
  });
  expect(leftOut).toEqual([
    { row: 'randomSubset', reason: 'the data has 6 images, fewer than the 8 of the set' },
  ]);
  expect(evaluation.heldOut.map(({ name }) => name)).toEqual(['random encoder']);
});
