/** Configuration of the distillation. */
import { between, momentum, oneOf, positive, section, wholeNumber } from '../fields.js';

const optimiser = () =>
  oneOf(['sgd', 'adam'])
    .default('sgd')
    .describe('Optimiser: sgd with distil.momentum, or adam with its usual constants.');

export const distil = section({
  start: oneOf(['highLoss', 'random', 'noise', 'classBalanced'])
    .default('highLoss')
    .describe(
      "What the synthetic set starts from. highLoss: the images on which the experts' first epochs err most. classBalanced: the same within each class, the same number of each class or one more (needs labels). random: images drawn at random. noise: standard normal pixels in the standardised scale. Targets start as the teacher's of the same images; with noise, of images drawn at random.",
    ),
  iterations: wholeNumber(1, 10_000_000).default(240).describe('Outer iterations, one hypergradient each.'),
  steps: wholeNumber(1, 100_000).default(20).describe('Inner steps N on the synthetic set (equation 4).'),
  expertEpochs: wholeNumber(1, 10_000)
    .default(3)
    .describe("Epochs M of an expert's trajectory that the N inner steps are to match (equation 4)."),
  startEpochs: wholeNumber(1, 10_000).default(5).describe('T⁺: the start epoch is drawn from 0 … T⁺ − 1.'),
  startEpochsFrom: wholeNumber(1, 10_000)
    .nullable()
    .default(null)
    .describe('T⁺ of the first iteration, from which it grows linearly to startEpochs; null: no growth.'),
  startEpochsOver: wholeNumber(1, 10_000_000)
    .nullable()
    .default(null)
    .describe('Iterations over which T⁺ grows from startEpochsFrom to startEpochs; null: all of them.'),
  batch: wholeNumber(1, 65_536).default(20).describe('Synthetic images an inner step.'),
  momentum: momentum().default(0.5).describe('Momentum of the outer SGDs.'),
  pixels: section({
    optimiser: optimiser(),
    learningRate: between(0, 1e9)
      .default(3000)
      .describe('Learning rate of the outer descent of the pixels; 0 keeps them as they start.'),
  })
    .describe('The synthetic images.')
    .prefault({}),
  targets: section({
    optimiser: optimiser(),
    learningRate: between(0, 1e9)
      .default(1)
      .describe('Learning rate of the outer descent of the targets; 0 keeps them as they start.'),
  })
    .describe("The synthetic images' target representations.")
    .prefault({}),
  innerStep: section({
    initial: positive(100).default(0.1).describe('Where α starts.'),
    optimiser: optimiser(),
    learningRate: between(0, 100)
      .default(0.0012)
      .describe('Learning rate of the outer descent of α; 0 keeps it as it starts.'),
  })
    .describe('The learned inner step size α.')
    .prefault({}),
  gradientClip: positive(1e30)
    .nullable()
    .default(null)
    .describe(
      'Largest norm of the gradient by all pixels, and of that by all targets: a longer one is scaled down to it. null: any.',
    ),
  memory: oneOf(['recompute', 'full', 'mixed'])
    .default('recompute')
    .describe(
      "How the way back comes by an inner step's intermediates. recompute: computes the step again; full: keeps those of all steps; mixed: keeps those of the last steps, as many as fit memoryBudget.",
    ),
  storage: oneOf(['float32', 'float16'])
    .default('float32')
    .describe(
      'How the intermediates that memory = full and mixed keep are stored: float16 takes half the memory and rounds each by 2⁻¹¹ of itself.',
    ),
  memoryBudget: positive(1e9)
    .default(1024)
    .describe('Device memory that the inner steps may hold with memory = mixed, in MiB.'),
  truncate: wholeNumber(1, 100_000)
    .nullable()
    .default(null)
    .describe('The gradient goes back through the last so many inner steps only; null: through all.'),
  snapshots: wholeNumber(0, 10_000_000)
    .default(0)
    .describe('The set is also written to snapshots/ every so many iterations; 0: never.'),
  keep: oneOf(['last', 'best'])
    .default('last')
    .describe(
      'Which set is the result. best: the one with the smallest smoothed trajectory loss, the mean over the 20 iterations up to it (half of a run of fewer than 40).',
    ),
}).describe('Distillation: matching the training trajectories of the experts (MKDT).');
