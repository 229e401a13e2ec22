/** A finished run as its report sees it, made up. */
import type { EvaluationTable } from '../../src/pipeline/evaluate/record.js';
import { makePictures } from '../../src/pipeline/report/pictures.js';
import type { HeldOutError, ReportInput, ResultRow, RunResult } from '../../src/pipeline/report/types.js';
import { numbers } from './compare.js';

/** Deviations of five seeds from their mean, in standard deviations. */
const PATTERN = [-2, -1, 0, 1, 2].map((value) => value / Math.SQRT2);

/**
 * Seeds that have the means and deviations of these rows. Those of MKDT go up where all others go down, so that the difference of
 * two rows has the mean of their deviations as the deviation of its mean.
 */
export function seedsOf(rows: readonly ResultRow[], heldOut: readonly HeldOutError[] = []): EvaluationTable {
  const around = (name: string, mean: number, deviation: number): number[] =>
    PATTERN.map((place) => mean + (name === 'MKDT' ? place : -place) * deviation);
  return {
    rows: rows.map(({ name, labels, mean, deviation, seeds }) => ({
      name,
      labels,
      accuracies: seeds === 1 ? [mean] : around(name, mean, deviation),
    })),
    heldOut: heldOut.map(({ name, mean, deviation }) => ({ name, errors: around(name, mean, deviation) })),
  };
}

export const result: RunResult = {
  device: { name: 'SwiftShader Device', kind: 'software', bundled: true },
  dataset: 'mnist',
  rows: [
    { name: 'random encoder', labels: 0.01, mean: 0.521, deviation: 0.019, seeds: 5 },
    { name: 'random encoder', labels: 0.05, mean: 0.753, deviation: 0.007, seeds: 5 },
    { name: 'random subset', labels: 0.01, mean: 0.568, deviation: 0.018, seeds: 5 },
    { name: 'random subset', labels: 0.05, mean: 0.782, deviation: 0.006, seeds: 5 },
    { name: 'MKDT', labels: 0.01, mean: 0.642, deviation: 0.012, seeds: 5 },
    { name: 'MKDT', labels: 0.05, mean: 0.825, deviation: 0.005, seeds: 5 },
    { name: 'teacher', labels: 0.05, mean: 0.862, deviation: 0.003, seeds: 5 },
  ],
  heldOutError: [
    { name: 'random subset', mean: 0.0612, deviation: 0.004 },
    { name: 'MKDT', mean: 0.0942, deviation: 0.0031 },
  ],
  transfer: [],
  trajectoryLoss: { first: 0.88, last: 0.503 },
  innerStep: { first: 0.1, last: 0.612 },
  seconds: { teacher: 23.41, distil: 322.5 },
};

const REPRESENTATION = 4;
const IMAGES = 12;

export const input: ReportInput = {
  title: 'MKDT on MNIST',
  command: 'hypergrad run --preset mnist-small',
  result,
  evaluation: seedsOf(result.rows, result.heldOutError),
  curves: {
    distil: Array.from({ length: 60 }, (_, iteration) => ({
      iteration,
      loss: 0.9 - iteration / 150 + 0.05 * Math.sin(iteration),
      innerStep: 0.1 + iteration / 100,
    })),
    teacher: Array.from({ length: 20 }, (_, k) => ({ step: k + 1, loss: 9 - k / 4 })),
    experts: [0, 1].flatMap((expert) =>
      [1, 2, 3].map((epoch) => ({ expert, epoch, loss: 1 / epoch + expert / 10 })),
    ),
    selfSupervisedExperts: [],
    selfSupervised: [],
  },
  pictures: makePictures({
    before: numbers(1, 'before', 3 * 16),
    after: numbers(2, 'after', 3 * 16),
    count: 3,
    image: [1, 4, 4],
    mean: [0.1],
    deviation: [0.1],
  }),
  representations: {
    images: Int32Array.from({ length: IMAGES }, (_, k) => 2 * k),
    labels: Int32Array.from({ length: IMAGES }, (_, k) => k % 3),
    classes: ['zero', 'one', 'two'],
    representation: REPRESENTATION,
    encoders: ['teacher', 'random subset', 'MKDT'].map((name) => ({
      name,
      values: numbers(3, name, IMAGES * REPRESENTATION),
    })),
  },
  configYaml: 'seed: 1\n',
};
