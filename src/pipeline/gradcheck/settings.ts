/** What `gradcheck` unrolls: a configuration's student and inner loop, made small enough for float64. */
import { f32, sizeOf, type Tape } from '../../autograd/tape.js';
import { trace } from '../../autograd/trace.js';
import { convNet } from '../../nn/convNet.js';
import { resolveConfig } from '../config/resolve.js';
import { requireImageShape, subsetSize } from '../config/rules.js';
import type { Config } from '../config/schema.js';

/** All but `sgd` have weight decay as well, as MKDT's experts do. */
export const optimiserNames = ['sgd', 'momentum', 'nesterov', 'adam'] as const;
export type OptimiserName = (typeof optimiserNames)[number];

export const DEFAULT_STEPS = 5;

/** Adam's steps are of the learning rate's own size, so SGD's would be too long. */
const ADAM_RATE = 0.01;

export interface CheckSettings {
  /** Shape of one image [C, H, W]. */
  readonly image: readonly [channels: number, height: number, width: number];
  readonly depth: number;
  readonly width: number;
  readonly representation: number;
  /** Synthetic images, and how many of them a step sees. */
  readonly images: number;
  readonly batch: number;
  /** Inner steps N. */
  readonly steps: number;
  readonly optimiser: OptimiserName;
  readonly learningRate: number;
  readonly momentum: number;
  readonly weightDecay: number;
  readonly seed: number;
}

export interface CheckChoice {
  readonly steps: number;
  readonly optimiser: OptimiserName;
}

/** The settings of a check, and what the configuration asked for where that was more than float64 can do in time. */
export interface FittedSettings {
  readonly settings: CheckSettings;
  readonly asked: { readonly images: number; readonly batch: number };
}

/** What is checked where no preset is named: a ConvNet of depth 2 and width 4 on 8×8 images, 4 of 8 a step. */
const SMALL: readonly string[] = [
  'data.source=cifar10',
  'data.pool=4',
  'data.train=100',
  'teacher.batch=8',
  'teacher.representation=8',
  'student.depth=2',
  'student.width=4',
  'experts.batch=8',
  'subset.fraction=0.08',
  'distil.batch=4',
  'evaluate.batch=8',
  'evaluate.allData.batch=8',
];

/** The small configuration, with the user's values over it. Throws `ConfigError` as `resolveConfig` does. */
export function smallConfig(sets: readonly string[] = [], seed?: number): Config {
  return resolveConfig({ sets: [...SMALL, ...sets], seed });
}

/** Multiply-adds of a student's forward passes in one unrolled training that float64 does in about a second. */
const WORK = 4e6;

/** Settings of a configuration's distillation; batch and images are lowered until float64 takes a minute or two. */
export function fitSettings(config: Config, { steps, optimiser }: CheckChoice): FittedSettings {
  const { student, teacher, distil, experts } = config;
  const image = requireImageShape(config.data);
  // With train = null the count is known only once the files are read; a batch's worth is enough for a check.
  const images =
    config.data.train === null ? 2 * distil.batch : subsetSize(config.subset.fraction, config.data.train);
  const asked = { images, batch: Math.min(distil.batch, images) };
  const network = { image, depth: student.depth, width: student.width, output: teacher.representation };
  const affordable = Math.max(1, Math.floor(WORK / (steps * forwardWork(network))));
  const batch = Math.min(asked.batch, affordable);
  return {
    asked,
    settings: {
      image,
      depth: student.depth,
      width: student.width,
      representation: teacher.representation,
      // Twice the batch, so that a batch is not all there is.
      images: Math.min(images, 2 * batch),
      batch,
      steps,
      optimiser,
      learningRate: optimiser === 'adam' ? ADAM_RATE : distil.innerStep.initial,
      momentum: experts.momentum,
      weightDecay: experts.weightDecay,
      seed: config.seed,
    },
  };
}

/** Multiply-adds of one image's forward pass. */
function forwardWork(network: Parameters<typeof convNet>[0]): number {
  const model = convNet(network);
  const types = { theta: f32(model.parameters.total), images: f32(1, ...network.image) };
  return multiplyAdds(trace(types, ({ theta, images }) => ({ output: model.forward(theta, images).output })));
}

function multiplyAdds({ operations }: Tape): number {
  return operations.reduce((total, { name, inputs, type }) => {
    const shapeOf = (k: number) => operations[inputs[k]!]!.type.shape;
    if (name === 'conv2d') return total + (sizeOf(type.shape) * sizeOf(shapeOf(1))) / shapeOf(1)[0]!;
    // [m,k] × [k,n] in any orientation: √(mk · kn · mn) = mkn.
    if (name === 'matmul') {
      return total + Math.sqrt(sizeOf(shapeOf(0)) * sizeOf(shapeOf(1)) * sizeOf(type.shape));
    }
    return total;
  }, 0);
}
