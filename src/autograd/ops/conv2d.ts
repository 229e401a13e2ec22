/**
 * The convolution family. Each of the three is bilinear, and the three are each other's derivatives:
 *
 *     y  = conv2d(x, w)             x̄ = inputGrad(ȳ, w)    w̄ = weightGrad(x, ȳ)
 *     x̄  = conv2dInputGrad(ȳ, w)    ȳ' = conv2d(u, w)      w' = weightGrad(u, ȳ)     (u: cotangent of x̄)
 *     w̄  = conv2dWeightGrad(x, ȳ)   x' = inputGrad(ȳ, v)   ȳ' = conv2d(x, v)         (v: cotangent of w̄)
 */
import { ShapeError } from '../../errors.js';
import { evenPieces } from '../../kernels/catalogue.js';
import type { Definitions } from '../../kernels/template.js';
import {
  apply,
  type LoweredOperation,
  type Lowering,
  type OperationDefinition,
  type Reference,
  referenceZeros,
} from '../operation.js';
import { type Attributes, type Shape, shapeText, sizeOf } from '../tape.js';
import type { Tensor } from '../trace.js';
import {
  type Extents,
  extentsOf,
  extentsWithCotangent,
  forEachProduct,
  requireRank4,
} from './conv2dExtents.js';
import { reshape, sum } from './reduce.js';
import { launchSliceSum } from './sliceSum.js';

/** How the window of a convolution moves. The same numbers belong to its two gradients. */
export interface Conv2dOptions {
  /** Step of the window in both directions, 1 by default. */
  readonly stride?: number;
  /** Zeros on every side, 0 by default. */
  readonly padding?: number;
}

const increase = (tensor: Reference, value: number, a: number, b: number, c: number, d: number): void => {
  tensor.set(a, b, c, d, tensor.get(a, b, c, d) + value);
};

/** Launches conv2d.wgsl for a convolution of stride 1 with these extents. */
function launchBlocked(
  lowering: Lowering,
  extents: Extents,
  transposed: boolean,
  { inputs, output }: LoweredOperation,
): void {
  const { N, O, HO, WO } = extents;
  const { outputs, pixels, sums } = lowering.tuning.conv2d;
  const PIXELS = evenPieces(WO, pixels);
  const OUTPUTS = evenPieces(O, Math.max(1, Math.min(outputs, Math.floor(sums / PIXELS))));
  const SEGMENTS = Math.ceil(WO / PIXELS);
  const CHANNEL_GROUPS = Math.ceil(O / OUTPUTS);
  const [x, w, bias] = inputs;
  const definitions: Definitions = {
    ...extents,
    OUTPUTS,
    PIXELS,
    SEGMENTS,
    CHANNEL_GROUPS,
    TRANSPOSED_WEIGHT: transposed,
    BIAS: bias !== undefined,
  };
  const buffers = [x!, w!, output, ...(bias === undefined ? [] : [bias])];
  lowering.launch('conv2d', definitions, buffers, N * CHANNEL_GROUPS * HO * SEGMENTS);
}

const conv2dDefinition: OperationDefinition = {
  name: 'conv2d',
  type([x, w, bias], attributes) {
    requireRank4('conv2d', 'x', x!);
    requireRank4('conv2d', 'w', w!);
    const { N, O, HO, WO } = extentsOf('conv2d', x!.shape, w!.shape, attributes);
    if (bias !== undefined && (bias.shape.length !== 1 || bias.shape[0] !== O)) {
      throw new ShapeError(
        `conv2d: bias ${shapeText(bias.shape)} must be [${O}], one number an output channel.`,
      );
    }
    return { dataType: 'f32', shape: [N, O, HO, WO] };
  },
  reference([x, w, bias], attributes, { shape }) {
    const y = referenceZeros(shape);
    forEachProduct(extentsOf('conv2d', x!.shape, w!.shape, attributes), (n, o, i, j, c, p, q, r, s) => {
      increase(y, x!.get(n, c, r, s) * w!.get(o, c, p, q), n, o, i, j);
    });
    if (bias !== undefined) {
      const area = shape[2]! * shape[3]!;
      for (let k = 0; k < y.size; k++) y.data[k]! += bias.get(Math.floor(k / area) % shape[1]!);
    }
    return y;
  },
  vjp({ inputs: [x, w, bias], attributes }, c, wanted) {
    const options = optionsOf(attributes);
    return [
      wanted[0] ? conv2dInputGrad(c, w!, x!.shape, options) : null,
      wanted[1] ? conv2dWeightGrad(x!, c, w!.shape, options) : null,
      ...(bias !== undefined ? [wanted[2] ? sumChannels(c) : null] : []),
    ];
  },
  lower(lowering, operation) {
    const [x, w] = operation.inputTypes;
    const extents = extentsOf('conv2d', x!.shape, w!.shape, operation.attributes);
    if (extents.S === 1) return launchBlocked(lowering, extents, false, operation);
    const [source, weight, bias] = operation.inputs;
    const buffers = [source!, weight!, operation.output, ...(bias === undefined ? [] : [bias])];
    const definitions = { ...extents, INPUT_GRADIENT: false, BIAS: bias !== undefined };
    lowering.launch('conv2dStrided', definitions, buffers, sizeOf(operation.type.shape));
  },
};

const inputGradDefinition: OperationDefinition = {
  name: 'conv2dInputGrad',
  type([cotangent, w], attributes) {
    requireRank4('conv2dInputGrad', 'cotangent', cotangent!);
    requireRank4('conv2dInputGrad', 'w', w!);
    const shape = attributes.shape as Shape;
    extentsWithCotangent(
      'conv2dInputGrad',
      { x: shape, w: w!.shape, cotangent: cotangent!.shape },
      attributes,
    );
    return { dataType: 'f32', shape };
  },
  reference([cotangent, w], attributes, { shape }) {
    const x = referenceZeros(shape);
    forEachProduct(extentsOf('conv2dInputGrad', shape, w!.shape, attributes), (n, o, i, j, c, p, q, r, s) => {
      increase(x, cotangent!.get(n, o, i, j) * w!.get(o, c, p, q), n, c, r, s);
    });
    return x;
  },
  vjp({ inputs: [cotangent, w], attributes }, u, wanted) {
    const options = optionsOf(attributes);
    return [
      wanted[0] ? conv2d(u, w!, options) : null,
      wanted[1] ? conv2dWeightGrad(u, cotangent!, w!.shape, options) : null,
    ];
  },
  lower(lowering, operation) {
    const extents = extentsOf(
      'conv2dInputGrad',
      operation.type.shape,
      operation.inputTypes[1]!.shape,
      operation.attributes,
    );
    const { N, C, H, W, O, K, L, HO, WO, S, P } = extents;
    if (S === 1 && K === L && P <= K - 1) {
      // The same convolution from ȳ to x̄, with the other padding.
      const mirrored = { N, C: O, H: HO, W: WO, O: C, K, L, HO: H, WO: W, S, P: K - 1 - P };
      return launchBlocked(lowering, mirrored, true, operation);
    }
    const definitions = { ...extents, INPUT_GRADIENT: true, BIAS: false };
    lowering.launch(
      'conv2dStrided',
      definitions,
      [operation.inputs[0]!, operation.inputs[1]!, operation.output],
      N * C * H * W,
    );
  },
};

const weightGradDefinition: OperationDefinition = {
  name: 'conv2dWeightGrad',
  type([x, cotangent], attributes) {
    requireRank4('conv2dWeightGrad', 'x', x!);
    requireRank4('conv2dWeightGrad', 'cotangent', cotangent!);
    const shape = attributes.shape as Shape;
    extentsWithCotangent(
      'conv2dWeightGrad',
      { x: x!.shape, w: shape, cotangent: cotangent!.shape },
      attributes,
    );
    return { dataType: 'f32', shape };
  },
  reference([x, cotangent], attributes, { shape }) {
    const w = referenceZeros(shape);
    forEachProduct(
      extentsOf('conv2dWeightGrad', x!.shape, shape, attributes),
      (n, o, i, j, c, p, q, r, s) => {
        increase(w, cotangent!.get(n, o, i, j) * x!.get(n, c, r, s), o, c, p, q);
      },
    );
    return w;
  },
  vjp({ inputs: [x, cotangent], attributes }, v, wanted) {
    const options = optionsOf(attributes);
    return [
      wanted[0] ? conv2dInputGrad(cotangent!, v, x!.shape, options) : null,
      wanted[1] ? conv2d(x!, v, options) : null,
    ];
  },
  lower(lowering, operation) {
    const [x, cotangent] = operation.inputs;
    const extents = extentsOf(
      'conv2dWeightGrad',
      operation.inputTypes[0]!.shape,
      operation.type.shape,
      operation.attributes,
    );
    const { N, C, O, K, WO } = extents;
    const blocks = lowering.tuning.conv2dWeightGrad;
    const OUTPUTS = evenPieces(O, blocks.outputs);
    const CHANNEL_GROUPS = Math.ceil(O / OUTPUTS);
    const TAP_ROWS = evenPieces(K, blocks.tapRows);
    const TAP_GROUPS = Math.ceil(K / TAP_ROWS);
    // A slice holds whole images, so its length counts them.
    const perOutput = C * TAP_GROUPS * CHANNEL_GROUPS;
    const wantedSlices = Math.min(N, Math.max(1, Math.ceil(lowering.tuning.parallelism / perOutput)));
    const IMAGES_PER_SLICE = Math.ceil(N / wantedSlices);
    const SLICES = Math.ceil(N / IMAGES_PER_SLICE);
    const size = sizeOf(operation.type.shape);
    const part = SLICES === 1 ? operation.output : lowering.scratch(SLICES * size);
    const definitions: Definitions = {
      ...extents,
      OUTPUTS,
      CHANNEL_GROUPS,
      TAP_ROWS,
      TAP_GROUPS,
      SLICES,
      IMAGES_PER_SLICE,
      PIXELS: evenPieces(WO, blocks.pixels),
    };
    lowering.launch('conv2dWeightGrad', definitions, [x!, cotangent!, part], perOutput * SLICES);
    if (SLICES > 1) launchSliceSum(lowering, part, operation.output, SLICES, size);
  },
};

function optionsOf(attributes: Attributes): Conv2dOptions {
  return { stride: Number(attributes.stride), padding: Number(attributes.padding) };
}

function withDefaults({ stride = 1, padding = 0 }: Conv2dOptions): { stride: number; padding: number } {
  return { stride, padding };
}

/** [N,O,H,W] → [O]: the sum over everything but the channels, the gradient of a bias. */
function sumChannels(a: Tensor): Tensor {
  const channels = a.shape[1]!;
  return reshape(sum(a, [0, 2, 3]), [channels]);
}

/**
 * 2-D convolution. x [N,C,H,W], w [O,C,K,L], bias [O] → [N,O,HO,WO], HO = ⌊(H + 2·padding − K) / stride⌋ + 1.
 *
 * @throws ShapeError when channels differ or the window does not fit.
 */
export function conv2d(
  x: Tensor,
  w: Tensor,
  options: Conv2dOptions & { readonly bias?: Tensor } = {},
): Tensor {
  const operands = options.bias === undefined ? [x, w] : [x, w, options.bias];
  return apply(conv2dDefinition, operands, withDefaults(options));
}

/**
 * Gradient of conv2d by x: cotangent [N,O,HO,WO], w [O,C,K,L] → `shape` [N,C,H,W].
 *
 * @throws ShapeError when the cotangent has not the shape that conv2d gives for x and w.
 */
export const conv2dInputGrad = (
  cotangent: Tensor,
  w: Tensor,
  shape: Shape,
  options: Conv2dOptions = {},
): Tensor => apply(inputGradDefinition, [cotangent, w], { ...withDefaults(options), shape: [...shape] });

/**
 * Gradient of conv2d by w: x [N,C,H,W], cotangent [N,O,HO,WO] → `shape` [O,C,K,L].
 *
 * @throws ShapeError when the cotangent has not the shape that conv2d gives for x and w.
 */
export const conv2dWeightGrad = (
  x: Tensor,
  cotangent: Tensor,
  shape: Shape,
  options: Conv2dOptions = {},
): Tensor => apply(weightGradDefinition, [x, cotangent], { ...withDefaults(options), shape: [...shape] });

export const conv2dOperations: readonly OperationDefinition[] = [
  conv2dDefinition,
  inputGradDefinition,
  weightGradDefinition,
];
