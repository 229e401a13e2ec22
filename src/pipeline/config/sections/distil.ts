/** Configuration of the distillation. */
import { between, momentum, positive, section, wholeNumber } from '../fields.js';

export const distil = section({
  iterations: wholeNumber(1, 10_000_000).default(160).describe('Outer iterations, one hypergradient each.'),
  steps: wholeNumber(1, 100_000).default(20).describe('Inner steps N on the synthetic set (equation 4).'),
  expertEpochs: wholeNumber(1, 10_000)
    .default(3)
    .describe("Epochs M of an expert's trajectory that the N inner steps are to match (equation 4)."),
  startEpochs: wholeNumber(1, 10_000).default(5).describe('T⁺: the start epoch is drawn from 0 … T⁺ − 1.'),
  batch: wholeNumber(1, 65_536).default(20).describe('Synthetic images an inner step.'),
  momentum: momentum().default(0.5).describe('Momentum of the three outer SGDs.'),
  pixels: section({
    learningRate: positive(1e9).default(3000).describe('Learning rate of the outer SGD on the pixels.'),
  })
    .describe('The synthetic images.')
    .prefault({}),
  targets: section({
    learningRate: between(0, 1e9)
      .default(1)
      .describe('Learning rate of the outer SGD on the targets; 0 keeps them as they start.'),
  })
    .describe("The synthetic images' target representations.")
    .prefault({}),
  innerStep: section({
    initial: positive(100).default(0.1).describe('Where α starts.'),
    learningRate: between(0, 100)
      .default(0.0012)
      .describe('Learning rate of the outer SGD on α; 0 keeps it as it starts.'),
  })
    .describe('The learned inner step size α.')
    .prefault({}),
}).describe('Distillation: matching the training trajectories of the experts (MKDT).');
