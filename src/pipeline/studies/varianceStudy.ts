/** `hypergrad study variance`. */
import { ConfigError } from '../../errors.js';
import type { Config } from '../config/schema.js';
import { files, readFloats } from '../stages/context.js';
import type { Study } from './study.js';
import { measureVariance, type VarianceSettings, type VarianceStudy, varianceSteps } from './variance.js';
import { gradientTable, trajectoryTable, varianceFigures, varianceFindings } from './variancePage.js';

/** Some minutes on two cores for 2 000 small images. */
export const defaultVariance: VarianceSettings = {
  batches: 32,
  batchSizes: [16, 64, 256],
  trajectories: 4,
  epochs: 4,
};

/** @throws ConfigError when there are too few images, or too few draws to see a variance. */
export function checkVariance(
  { batches, batchSizes, trajectories, epochs }: VarianceSettings,
  count: number,
): void {
  const atLeast = (name: string, value: number, least: number): void => {
    if (value < least) throw new ConfigError(`${name} ${value} must be at least ${least}.`);
  };
  atLeast('--batches', batches, 3);
  atLeast('--trajectories', trajectories, 3);
  atLeast('--epochs', epochs, 1);
  for (const size of batchSizes) {
    atLeast('--batch-sizes', size, 2);
    if (2 * size > count) {
      throw new ConfigError(
        `--batch-sizes ${size} must be at most half of the ${count} training images: larger batches are nearly the same.`,
      );
    }
  }
}

export const varianceStudy: Study<VarianceSettings, VarianceStudy> = {
  name: 'variance',
  after: ['teacher', 'targets'],
  reads: ({ teacher, student, experts, selfSupervised }: Config) => ({
    teacher,
    student,
    experts,
    selfSupervised: selfSupervised.experts,
  }),
  steps: (settings, { experts }, { train }) => varianceSteps(settings, train.count, experts.batch),
  unit: 'gradients',
  async measure(context, settings) {
    checkVariance(settings, context.dataset.train.count);
    return await measureVariance(context, await readFloats(context.folder, files.targets, 'train'), settings);
  },
  present: (found, settings) => ({
    title: 'Variance under the self-supervised and the distillation loss',
    findings: varianceFindings(found),
    tables: [gradientTable(found, settings), trajectoryTable(found, settings)],
    figures: varianceFigures(found),
  }),
};
