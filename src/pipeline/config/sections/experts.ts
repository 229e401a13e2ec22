/** Configuration of the students, the experts among them, and the subset. */
import { fraction, momentum, positive, section, weightDecay, wholeNumber } from '../fields.js';

export const student = section({
  depth: wholeNumber(1, 8).default(2).describe('Convolution blocks; each halves height and width.'),
  width: wholeNumber(1, 2048).default(16).describe('Channels of each convolution.'),
}).describe('The encoder that experts, distillation and evaluation train.');

export const experts = section({
  count: wholeNumber(1, 10_000)
    .default(3)
    .describe(
      'Experts K, trained from different initialisations; each iteration of the distillation draws one.',
    ),
  epochs: wholeNumber(1, 10_000)
    .default(10)
    .describe("Epochs over the real images; every epoch's parameters are kept."),
  batch: wholeNumber(1, 65_536).default(64).describe('Images a step.'),
  learningRate: positive(100).default(0.1).describe('Learning rate of SGD.'),
  momentum: momentum().default(0.9).describe('Momentum of SGD.'),
  weightDecay: weightDecay().default(1e-4).describe('Weight decay of SGD.'),
}).describe("Students that regress the teacher's representations of the real images (equation 5).");

export const subset = section({
  fraction: fraction()
    .default(0.02)
    .describe(
      'Size of the synthetic set, and of the subsets it is compared with, as a share of the training images.',
    ),
}).describe('The high-loss subset from which the synthetic set starts.');
