/** Configuration of the baseline that matches self-supervised trajectories directly. */
import { between, momentum, positive, section, weightDecay, wholeNumber } from '../fields.js';

export const selfSupervised = section({
  experts: section({
    count: wholeNumber(1, 10_000).default(3).describe('Experts, trained from different initialisations.'),
    epochs: wholeNumber(1, 10_000)
      .default(10)
      .describe("Epochs over the real images; every epoch's parameters are kept."),
    batch: wholeNumber(2, 65_536).default(64).describe('Images a step, each in two views.'),
    learningRate: positive(100).default(0.003).describe('Learning rate of SGD on the self-supervised loss.'),
    momentum: momentum().default(0.9).describe('Momentum of SGD.'),
    weightDecay: weightDecay().default(1e-4).describe('Weight decay of SGD.'),
  })
    .describe("Students with the teacher's projector that learn by the teacher's own loss.")
    .prefault({}),
  iterations: wholeNumber(1, 10_000_000).default(80).describe('Outer iterations, one hypergradient each.'),
  steps: wholeNumber(1, 100_000).default(20).describe('Self-supervised inner steps on the synthetic images.'),
  expertEpochs: wholeNumber(1, 10_000)
    .default(3)
    .describe("Epochs of an expert's trajectory that the inner steps are to match (equation 4)."),
  startEpochs: wholeNumber(1, 10_000).default(5).describe('T⁺: the start epoch is drawn from 0 … T⁺ − 1.'),
  batch: wholeNumber(2, 65_536).default(20).describe('Synthetic images an inner step, each in two views.'),
  pixels: section({
    learningRate: positive(1e9).default(300).describe('Learning rate of the outer SGD on the pixels.'),
  })
    .describe('The synthetic images.')
    .prefault({}),
  innerStep: section({
    initial: positive(100).default(0.003).describe('Where the inner step size starts.'),
    learningRate: between(0, 100)
      .default(1e-6)
      .describe('Learning rate of the outer SGD on the inner step size; 0 keeps it as it starts.'),
  })
    .describe('The learned inner step size.')
    .prefault({}),
}).describe(
  'The baseline that matches trajectories of the self-supervised loss itself: runs only where evaluate.rows names trajectoryMatchingOnSsl.',
);
