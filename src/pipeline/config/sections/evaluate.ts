/** Configuration of the evaluation. */
import { z } from 'zod';
import { between, fraction, momentum, positive, section, weightDecay, wholeNumber } from '../fields.js';

export const evaluate = section({
  epochs: wholeNumber(1, 100_000)
    .default(60)
    .describe('Epochs of pre-training on the synthetic set or a subset.'),
  batch: wholeNumber(1, 65_536).default(40).describe('Images a step on the synthetic set or a subset.'),
  learningRate: positive(100)
    .default(0.1)
    .describe('Learning rate of SGD on subsets and on all data; the synthetic set uses its learned α.'),
  momentum: momentum().default(0.9).describe('Momentum of SGD.'),
  weightDecay: weightDecay().default(1e-4).describe('Weight decay of SGD.'),
  allData: section({
    epochs: wholeNumber(1, 100_000).default(6).describe('Epochs of pre-training on all training images.'),
    batch: wholeNumber(1, 65_536).default(64).describe('Images a step on all training images.'),
  })
    .describe('Pre-training on all training images: the upper bound.')
    .prefault({}),
  labels: z
    .array(fraction(), { error: 'must be a list of shares of labels, such as [0.01, 0.05]' })
    .min(1, { error: 'must name at least one share of labels, such as [0.01, 0.05]' })
    .refine((shares) => new Set(shares).size === shares.length, { error: 'must name each share once' })
    .default([0.01, 0.05])
    .describe('Shares of the training labels that the linear probe sees.'),
  seeds: wholeNumber(1, 1000)
    .default(5)
    .describe('Repetitions; mean and standard deviation are taken over them.'),
  probe: section({
    regularisation: between(0, 1e6)
      .default(0.001)
      .describe('Weight of the squared probe weights beside the mean cross-entropy; the bias is free.'),
  })
    .describe('The linear probe: multinomial logistic regression on the features in front of the head.')
    .prefault({}),
}).describe('Evaluation: pre-train a fresh student, then fit a linear probe on real images.');
