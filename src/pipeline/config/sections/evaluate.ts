/** Configuration of the evaluation. */
import { z } from 'zod';
import { between, fraction, momentum, positive, section, weightDecay, wholeNumber } from '../fields.js';

/** What an encoder can be pre-trained on, in the order in which tables show it. */
export const evaluationRows = [
  'randomEncoder',
  'randomSubset',
  'highLossSubset',
  'mkdt',
  'trajectoryMatchingOnSsl',
  'allData',
  'teacher',
] as const;
/** Name of an evaluation's row in the configuration. */
export type EvaluationRow = (typeof evaluationRows)[number];

const ROWS_ERROR = `must be a list of rows, each once, out of ${evaluationRows.join(', ')}`;
const ARCHITECTURE_ERROR = 'must be convNet, resNet18 or mlp';

/** An architecture that sets are transferred to. ResNet-18 has its depth in its name. */
export const transferStudent = z.discriminatedUnion(
  'architecture',
  [
    section({
      architecture: z.literal('convNet'),
      depth: wholeNumber(1, 8).default(2).describe('Convolution blocks; each halves height and width.'),
      width: wholeNumber(1, 2048).default(16).describe('Channels of each convolution.'),
    }),
    section({
      architecture: z.literal('resNet18'),
      width: wholeNumber(1, 512).default(64).describe('Channels of the first layer, an eighth of the last.'),
    }),
    section({
      architecture: z.literal('mlp'),
      depth: wholeNumber(1, 16).default(2).describe('Hidden layers.'),
      width: wholeNumber(1, 8192).default(128).describe('Units of each hidden layer.'),
    }),
  ],
  { error: ARCHITECTURE_ERROR },
);
/** An architecture with its sizes. */
export type TransferStudent = z.infer<typeof transferStudent>;

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
  rows: z
    .array(z.enum(evaluationRows, { error: ROWS_ERROR }), { error: ROWS_ERROR })
    .min(1, { error: ROWS_ERROR })
    .refine((rows) => new Set(rows).size === rows.length, { error: ROWS_ERROR })
    .default(evaluationRows.filter((row) => row !== 'trajectoryMatchingOnSsl'))
    .describe('What is compared: the rows of the tables, in their order.'),
  transfer: z
    .array(transferStudent, {
      error: 'must be a list of architectures, such as [{ architecture: mlp, depth: 2, width: 128 }]',
    })
    .default([])
    .describe(
      'Other architectures that are pre-trained on the same sets: { architecture: convNet, resNet18 or mlp, depth, width }. They use the α that was learnt for the student.',
    ),
  probe: section({
    regularisation: between(0, 1e6)
      .default(0.001)
      .describe('Weight of the squared probe weights beside the mean cross-entropy; the bias is free.'),
  })
    .describe('The linear probe: multinomial logistic regression on the features in front of the head.')
    .prefault({}),
}).describe('Evaluation: pre-train a fresh student, then fit a linear probe on real images.');
