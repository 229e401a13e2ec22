/**
 * ResNet-18 (He et al. 2016) for small images, MKDT's teacher: the first convolution is 3×3 with stride 1 and padding 2,
 * as self-supervised learners on CIFAR have it, there is no max-pool after it, and no classifier. Eight basic blocks in four layers, each layer twice as wide as the one before and
 * half as large; the mean over the last image is the representation. Tensors have torchvision's names.
 */
import { globalAveragePool } from '../autograd/ops/avgPool2d.js';
import { batchNorm, batchNormWith, moveRunningStatistics } from '../autograd/ops/batchNorm.js';
import { conv2d } from '../autograd/ops/conv2d.js';
import { add, relu } from '../autograd/ops/elementwise.js';
import type { Tensor } from '../autograd/trace.js';
import { type ModelWithBuffers, requireCounts } from './model.js';
import { layOut, type ParameterEntry, packParameters, unpack } from './parameters.js';

/** Sizes of a ResNet-18 for small images. */
export interface ResNet18Options {
  readonly image: readonly [channels: number, height: number, width: number];
  /** Channels of the first layer, 64 by default; the representation has eight times as many. */
  readonly width?: number;
}

/** One convolution without bias, and the batch norm behind it. */
interface Stage {
  readonly convolution: string;
  readonly norm: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly window: number;
  readonly stride: number;
  readonly padding: number;
}

interface Block {
  readonly first: Stage;
  readonly second: Stage;
  /** Brings the block's input to its output's shape, where that is another. */
  readonly shortcut: Stage | null;
}

type Normalise = (x: Tensor, stage: Stage) => Tensor;

/** One more than keeps the image's size. */
const STEM_PADDING = 2;
const LAYERS = 4;
const BLOCKS_PER_LAYER = 2;

/** A 3×3 convolution that keeps the image's size, or halves it with stride 2. */
const wide = { window: 3, stride: 1, padding: 1 };
/** A 1×1 convolution that halves the image. */
const projection = { window: 1, stride: 2, padding: 0 };

function describe(channels: number, width: number): { stem: Stage; blocks: readonly Block[] } {
  const blocks: Block[] = [];
  for (let layer = 0; layer < LAYERS; layer++) {
    for (let block = 0; block < BLOCKS_PER_LAYER; block++) {
      const name = `layer${layer + 1}.${block}`;
      const outputs = width * 2 ** layer;
      const halves = layer > 0 && block === 0;
      const inputs = halves ? outputs / 2 : outputs;
      const stride = halves ? 2 : 1;
      const shortcut = { convolution: `${name}.downsample.0`, norm: `${name}.downsample.1` };
      blocks.push({
        first: { ...wide, stride, convolution: `${name}.conv1`, norm: `${name}.bn1`, inputs, outputs },
        second: { ...wide, convolution: `${name}.conv2`, norm: `${name}.bn2`, inputs: outputs, outputs },
        shortcut: halves ? { ...projection, ...shortcut, inputs, outputs } : null,
      });
    }
  }
  const stem = { ...wide, padding: STEM_PADDING, convolution: 'conv1', norm: 'bn1' };
  return { stem: { ...stem, inputs: channels, outputs: width }, blocks };
}

function parameterEntries({
  convolution,
  norm,
  inputs,
  outputs,
  window,
}: Stage): Omit<ParameterEntry, 'offset'>[] {
  const shape = [outputs, inputs, window, window];
  return [
    { name: `${convolution}.weight`, shape, fanIn: inputs * window * window, start: 'heNormal' },
    { name: `${norm}.weight`, shape: [outputs], fanIn: 1, start: 'ones' },
    { name: `${norm}.bias`, shape: [outputs], fanIn: 1, start: 'zeros' },
  ];
}

const bufferEntries = ({ norm, outputs }: Stage): Omit<ParameterEntry, 'offset'>[] => [
  { name: `${norm}.running_mean`, shape: [outputs], fanIn: 1, start: 'zeros' },
  { name: `${norm}.running_var`, shape: [outputs], fanIn: 1, start: 'ones' },
];

/**
 * A ResNet-18 whose representation has 8 · width numbers. Its features are its output: there is no head.
 *
 * @throws ShapeError when the width is no whole number of at least 1.
 */
export function resNet18({ image, width = 64 }: ResNet18Options): ModelWithBuffers {
  requireCounts('resNet18', { width });
  const { stem, blocks } = describe(image[0], width);
  const stages = [
    stem,
    ...blocks.flatMap(({ first, second, shortcut }) => [first, second, ...(shortcut ? [shortcut] : [])]),
  ];
  const parameters = layOut(stages.flatMap(parameterEntries));
  const buffers = layOut(stages.flatMap(bufferEntries));
  const featureCount = width * 2 ** (LAYERS - 1);

  const network = (p: Readonly<Record<string, Tensor>>, images: Tensor, normalise: Normalise) => {
    const apply = (x: Tensor, stage: Stage): Tensor => {
      const { convolution, stride, padding } = stage;
      return normalise(conv2d(x, p[`${convolution}.weight`]!, { stride, padding }), stage);
    };
    let x = relu(apply(images, stem));
    for (const { first, second, shortcut } of blocks) {
      const residual = apply(relu(apply(x, first)), second);
      x = relu(add(residual, shortcut ? apply(x, shortcut) : x));
    }
    const features = globalAveragePool(x);
    return { features, output: features };
  };

  const runningOf = (b: Readonly<Record<string, Tensor>>, norm: string) => ({
    mean: b[`${norm}.running_mean`]!,
    variance: b[`${norm}.running_var`]!,
  });

  return {
    parameters,
    buffers,
    image,
    featureCount,
    outputCount: featureCount,
    forward(theta, images) {
      const p = unpack(parameters, theta);
      return network(
        p,
        images,
        (x, { norm }) => batchNorm(x, p[`${norm}.weight`]!, p[`${norm}.bias`]!).output,
      );
    },
    train(theta, running, images) {
      const p = unpack(parameters, theta);
      const b = unpack(buffers, running);
      const moved: Record<string, Tensor> = {};
      const result = network(p, images, (x, { norm }) => {
        const batch = batchNorm(x, p[`${norm}.weight`]!, p[`${norm}.bias`]!);
        const next = moveRunningStatistics(runningOf(b, norm), batch, x);
        moved[`${norm}.running_mean`] = next.mean;
        moved[`${norm}.running_var`] = next.variance;
        return batch.output;
      });
      return { ...result, buffers: packParameters(buffers, moved) };
    },
    evaluate(theta, running, images) {
      const p = unpack(parameters, theta);
      const b = unpack(buffers, running);
      return network(p, images, (x, { norm }) =>
        batchNormWith(x, p[`${norm}.weight`]!, p[`${norm}.bias`]!, runningOf(b, norm)),
      );
    },
  };
}
