/**
 * The student of MKDT: D × [3×3 convolution, instance norm with affine parameters, ReLU, 2×2 average pooling], then a
 * linear head to the representation. (ConvNet of Gidaris & Komodakis 2018, as in dataset distillation since Zhao et al.
 * 2021.)
 */
import { avgPool2d } from '../autograd/ops/avgPool2d.js';
import { conv2d } from '../autograd/ops/conv2d.js';
import { relu } from '../autograd/ops/elementwise.js';
import { instanceNorm } from '../autograd/ops/instanceNorm.js';
import { linear } from '../autograd/ops/matmul.js';
import { reshape } from '../autograd/ops/reduce.js';
import { sizeOf } from '../autograd/tape.js';
import type { Tensor } from '../autograd/trace.js';
import { ShapeError } from '../errors.js';
import { type Model, requireCounts } from './model.js';
import { layOut, type ParameterEntry, unpack } from './parameters.js';

/** The sizes of a ConvNet. */
export interface ConvNetOptions {
  /** Shape of one image. */
  readonly image: readonly [channels: number, height: number, width: number];
  /** Number of blocks; each halves the image. */
  readonly depth: number;
  /** Channels of every block. */
  readonly width: number;
  /** Length of the representation. */
  readonly output: number;
}

const WINDOW = 3;
/** The first block pads 28×28 images to 32×32, so that they halve evenly. */
const firstPadding = (height: number): number => (height === 28 ? 3 : 1);

/**
 * The student of MKDT (Gidaris and Komodakis 2018): blocks of 3×3 convolution, instance norm, ReLU and 2×2 average pooling,
 * then a linear head. Images of 28×28 are padded to 32×32 first.
 *
 * @throws ShapeError when depth, width or output is no whole number of at least 1, or the image is too small for so many blocks.
 */
export function convNet({ image, depth, width, output }: ConvNetOptions): Model {
  requireCounts('convNet', { depth, width, output });
  const [channels, height, imageWidth] = image;
  const paddings = Array.from({ length: depth }, (_, block) => (block === 0 ? firstPadding(height) : 1));
  let rows = height;
  let columns = imageWidth;
  for (const padding of paddings) {
    rows = Math.floor((rows + 2 * padding - WINDOW + 1) / 2);
    columns = Math.floor((columns + 2 * padding - WINDOW + 1) / 2);
    if (rows < 1 || columns < 1) {
      throw new ShapeError(
        `convNet: ${depth} blocks halve an image of ${height}×${imageWidth} to nothing; use fewer blocks or larger images.`,
      );
    }
  }
  const featureCount = width * rows * columns;

  const entries: Omit<ParameterEntry, 'offset'>[] = [];
  for (let block = 0; block < depth; block++) {
    const inputs = block === 0 ? channels : width;
    const fanIn = inputs * WINDOW * WINDOW;
    entries.push(
      { name: `conv${block}.weight`, shape: [width, inputs, WINDOW, WINDOW], fanIn, start: 'uniform' },
      { name: `conv${block}.bias`, shape: [width], fanIn, start: 'uniform' },
      { name: `norm${block}.weight`, shape: [width], fanIn: 1, start: 'ones' },
      { name: `norm${block}.bias`, shape: [width], fanIn: 1, start: 'zeros' },
    );
  }
  entries.push(
    { name: 'head.weight', shape: [output, featureCount], fanIn: featureCount, start: 'uniform' },
    { name: 'head.bias', shape: [output], fanIn: featureCount, start: 'uniform' },
  );
  const parameters = layOut(entries);

  const forward = (theta: Tensor, images: Tensor) => {
    const p = unpack(parameters, theta);
    let x = images;
    paddings.forEach((padding, block) => {
      x = conv2d(x, p[`conv${block}.weight`]!, { padding, bias: p[`conv${block}.bias`]! });
      x = relu(instanceNorm(x, p[`norm${block}.weight`]!, p[`norm${block}.bias`]!));
      x = avgPool2d(x, { size: 2 });
    });
    const features = reshape(x, [x.shape[0]!, sizeOf(x.shape.slice(1))]);
    return { features, output: linear(features, p['head.weight']!, p['head.bias']!) };
  };
  return { parameters, image, featureCount, outputCount: output, forward };
}
