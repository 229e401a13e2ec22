/** Configuration of the self-supervised teacher. */
import { z } from 'zod';
import {
  between,
  flag,
  fraction,
  momentum,
  oneOf,
  positive,
  section,
  weightDecay,
  wholeNumber,
} from '../fields.js';

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
  cropAspect: z
    .tuple([positive(10), positive(10)], {
      error: 'must be two numbers, [smallest, largest], above 0 and at most 10',
    })
    .refine(([smallest, largest]) => smallest <= largest, {
      error: 'must be [smallest, largest] with smallest ≤ largest',
    })
    .default([1, 1])
    .describe(
      "Range of a random crop's width over its height, drawn evenly on a logarithmic scale; a side longer than the image's is cut to it.",
    ),
  flip: flag().default(false).describe('Whether to mirror left to right at random, with probability 1/2.'),
  contrast: between(0, 1)
    .default(0.4)
    .describe('Contrast is multiplied by a number drawn from 1 − this to 1 + this.'),
  brightness: between(0, 10)
    .default(0.4)
    .describe('A number drawn from −this to this is added to the standardised pixels.'),
  saturation: between(0, 1)
    .default(0)
    .describe(
      "Colour's distance from gray is multiplied by a number drawn from 1 − this to 1 + this; no effect on gray images.",
    ),
  hue: between(0, 0.5)
    .default(0)
    .describe(
      'Colours are turned about the gray axis, at equal luminance, by an angle drawn from −this to this, in full turns; no effect on gray images.',
    ),
  jitterProbability: between(0, 1)
    .default(1)
    .describe('Probability that contrast, brightness, saturation and hue are changed at all.'),
  noise: between(0, 10)
    .default(0.05)
    .describe('Standard deviation of the Gaussian noise added to each standardised pixel.'),
  grayscale: between(0, 1)
    .default(0)
    .describe('Probability that a colour image is replaced by its gray values; no effect on gray images.'),
  blur: between(0, 1)
    .default(0)
    .describe(
      'Probability of a Gaussian blur, of a standard deviation drawn from 0.1 to 2 pixels and a window of a tenth of the image.',
    ),
  solarise: between(0, 1)
    .default(0)
    .describe('Probability that values above the middle of the 0 … 1 scale are inverted.'),
}).describe('How a training image becomes the two views that the teacher compares.');

export const teacher = section({
  architecture: oneOf(['convNet', 'resNet18'])
    .default('convNet')
    .describe(
      'The encoder: a ConvNet with a linear head, or a ResNet-18 for small images, whose representation has 8 times its width.',
    ),
  depth: wholeNumber(1, 8)
    .default(2)
    .describe('Convolution blocks of a convNet; each halves height and width.'),
  width: wholeNumber(1, 2048)
    .default(32)
    .describe("Channels of each convolution of a convNet, or of a resNet18's first layer."),
  representation: wholeNumber(2, 8192)
    .default(64)
    .describe("Dimensions of the teacher's representation, which the students regress."),
  method: oneOf(['barlowTwins', 'simClr'])
    .default('barlowTwins')
    .describe('The self-supervised loss of two views: Barlow Twins (equation 1) or SimCLR (NT-Xent).'),
  projector: wholeNumber(2, 8192)
    .default(128)
    .describe('Dimensions of the projector on which the loss is taken, during training only.'),
  projectorLayers: wholeNumber(0, 8)
    .default(1)
    .describe("Hidden layers of the projector, with ReLU, each of the projector's width."),
  lambda: between(0, 10)
    .default(0.01)
    .describe("Barlow Twins' weight λ of the off-diagonal terms (equation 1)."),
  standardise: flag()
    .default(true)
    .describe(
      'Whether Barlow Twins standardises each feature over the batch first; false takes equation 2 as written.',
    ),
  temperature: positive(100).default(0.5).describe("SimCLR's temperature τ."),
  steps: wholeNumber(1, 10_000_000).default(100).describe('Optimiser steps.'),
  batch: wholeNumber(2, 65_536).default(128).describe('Images a step, each in two views.'),
  optimiser: oneOf(['adam', 'sgd', 'lars'])
    .default('adam')
    .describe(
      'What takes the steps. LARS adapts to the length of each weight tensor, biases and norms aside.',
    ),
  learningRate: positive(100).default(0.003).describe('Learning rate, the largest of the schedule.'),
  momentum: momentum().default(0.9).describe('Momentum of sgd and lars.'),
  weightDecay: weightDecay()
    .default(0)
    .describe('Weight decay, as weightDecay · θ added to the gradient; lars leaves biases and norms out.'),
  schedule: oneOf(['constant', 'cosine'])
    .default('constant')
    .describe('Whether the learning rate stays, or falls to 0 along half a cosine, after the warm-up.'),
  warmUp: wholeNumber(0, 10_000_000)
    .default(0)
    .describe('Steps over which the learning rate rises in equal parts.'),
  augmentation: augmentation.prefault({}),
}).describe('The self-supervised teacher, trained on the real images without labels.');
