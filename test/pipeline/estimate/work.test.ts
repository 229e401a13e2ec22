import { expect, it } from 'vitest';
import { resolveConfig } from '../../../src/pipeline/config/resolve.js';
import { probeTimes } from '../../../src/pipeline/estimate/probes.js';
import { selfSupervisedWork } from '../../../src/pipeline/estimate/selfSupervisedWork.js';
import { workOf } from '../../../src/pipeline/estimate/work.js';
import { imageSetOf } from '../../support/imageSet.js';

const labels = new Int32Array(200);
const data = {
  image: [1, 7, 7] as const,
  mean: [0],
  deviation: [1],
  classes: ['one', 'two'],
  train: imageSetOf(new Float32Array(200 * 49), labels, 200),
  test: imageSetOf(new Float32Array(100 * 49), labels.slice(0, 100), 100),
};
const config = resolveConfig({
  preset: 'tiny-test',
  sets: [
    'evaluate.rows=[mkdt, trajectoryMatchingOnSsl, teacher]',
    'evaluate.transfer=[{ architecture: mlp, depth: 1, width: 4 }]',
    'evaluate.labels=[0.2]',
  ],
});

it('counts the row on the self-supervised loss for every architecture, and the teacher for the student alone', () => {
  const own = selfSupervisedWork(config, data).filter(({ stage }) => stage === 'evaluate');
  expect(own.map(({ what }) => what)).toEqual([
    'self-supervised step on a set',
    'self-supervised step on a set, mlp',
  ]);
  expect(probeTimes(config, data).map(({ runs }) => runs)).toEqual([2 * 3, 2 * 2]);
});

it('encodes training images for probes only where there are labels', () => {
  const encoded = (sizes: Parameters<typeof workOf>[1]): number => {
    const work = workOf(config, sizes, 0).find(
      ({ stage, what }) => stage === 'evaluate' && what === 'encoding',
    )!;
    return work.runs * work.images;
  };
  // Two seeds of two students: test images, and a fifth of the training images.
  expect(encoded(data)).toBe(4 * (100 + 40));
  expect(encoded({ ...data, train: { ...data.train, labels: null } })).toBe(4 * 100);
});
