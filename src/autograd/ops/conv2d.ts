/**
 * The convolution family. Each of the three is bilinear, and the three are each other's derivatives:
 *
 *     y  = conv2d(x, w)             x̄ = inputGrad(ȳ, w)    w̄ = weightGrad(x, ȳ)
 *     x̄  = conv2dInputGrad(ȳ, w)    ȳ' = conv2d(u, w)      w' = weightGrad(u, ȳ)     (u: cotangent of x̄)
 *     w̄  = conv2dWeightGrad(x, ȳ)   x' = inputGrad(ȳ, v)   ȳ' = conv2d(x, v)         (v: cotangent of w̄)
 */
import { ShapeError } from '../../errors.js';
import {
  apply,
  type OperationDefinition,
  type Reference,
  type ReferenceRule,
  type ReferenceRules,
  referenceZeros,
} from '../operation.js';
import { type Attributes, type Shape, shapeText } from '../tape.js';
import type { Tensor } from '../trace.js';
import { extentsOf, extentsWithCotangent, forEachProduct, requireRank4 } from './conv2dExtents.js';
import { launchConv2d, launchInputGrad, launchWeightGrad } from './conv2dLowering.js';
import { requireFloats } from './operands.js';
import { type Pair, pairAttribute } from './pair.js';
import { reshape, sum } from './reduce.js';

/** How the window of a convolution moves. The same numbers belong to its two gradients. */
export interface Conv2dOptions {
  /** Step of the window, 1 by default: a number, or [vertical, horizontal]. */
  readonly stride?: Pair;
  /** Zeros above and below, and left and right, 0 by default: a number, or [vertical, horizontal]. */
  readonly padding?: Pair;
}

const increase = (tensor: Reference, value: number, a: number, b: number, c: number, d: number): void => {
  tensor.set(a, b, c, d, tensor.get(a, b, c, d) + value);
};

const conv2dReference: ReferenceRule = ([x, w, bias], attributes, { shape }) => {
  const y = referenceZeros(shape);
  forEachProduct(extentsOf('conv2d', x!.shape, w!.shape, attributes), (n, o, i, j, c, p, q, r, s) => {
    increase(y, x!.get(n, c, r, s) * w!.get(o, c, p, q), n, o, i, j);
  });
  if (bias !== undefined) {
    const area = shape[2]! * shape[3]!;
    for (let k = 0; k < y.size; k++) y.data[k]! += bias.get(Math.floor(k / area) % shape[1]!);
  }
  return y;
};

const conv2dDefinition: OperationDefinition = {
  name: 'conv2d',
  type([x, w, bias], attributes) {
    requireRank4('conv2d', 'x', x!);
    requireRank4('conv2d', 'w', w!);
    requireFloats('conv2d', bias === undefined ? [] : [bias]);
    const { N, O, HO, WO } = extentsOf('conv2d', x!.shape, w!.shape, attributes);
    if (bias !== undefined && (bias.shape.length !== 1 || bias.shape[0] !== O)) {
      throw new ShapeError(
        `conv2d: bias ${shapeText(bias.shape)} must be [${O}], one number an output channel.`,
      );
    }
    return { dataType: 'f32', shape: [N, O, HO, WO] };
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
    launchConv2d(lowering, extentsOf('conv2d', x!.shape, w!.shape, operation.attributes), operation);
  },
};

const inputGradReference: ReferenceRule = ([cotangent, w], attributes, { shape }) => {
  const x = referenceZeros(shape);
  forEachProduct(extentsOf('conv2dInputGrad', shape, w!.shape, attributes), (n, o, i, j, c, p, q, r, s) => {
    increase(x, cotangent!.get(n, o, i, j) * w!.get(o, c, p, q), n, c, r, s);
  });
  return x;
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
  vjp({ inputs: [cotangent, w], attributes }, u, wanted) {
    const options = optionsOf(attributes);
    return [
      wanted[0] ? conv2d(u, w!, options) : null,
      wanted[1] ? conv2dWeightGrad(u, cotangent!, w!.shape, options) : null,
    ];
  },
  lower(lowering, operation) {
    const w = operation.inputTypes[1]!;
    const extents = extentsOf('conv2dInputGrad', operation.type.shape, w.shape, operation.attributes);
    launchInputGrad(lowering, extents, operation);
  },
};

const weightGradReference: ReferenceRule = ([x, cotangent], attributes, { shape }) => {
  const w = referenceZeros(shape);
  forEachProduct(extentsOf('conv2dWeightGrad', x!.shape, shape, attributes), (n, o, i, j, c, p, q, r, s) => {
    increase(w, cotangent!.get(n, o, i, j) * x!.get(n, c, r, s), o, c, p, q);
  });
  return w;
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
  vjp({ inputs: [x, cotangent], attributes }, v, wanted) {
    const options = optionsOf(attributes);
    return [
      wanted[0] ? conv2dInputGrad(cotangent!, v, x!.shape, options) : null,
      wanted[1] ? conv2d(x!, v, options) : null,
    ];
  },
  lower(lowering, operation) {
    const x = operation.inputTypes[0]!;
    const extents = extentsOf('conv2dWeightGrad', x.shape, operation.type.shape, operation.attributes);
    launchWeightGrad(lowering, extents, operation);
  },
};

function optionsOf({ stride, padding }: Attributes): Conv2dOptions {
  return { stride: stride as Pair, padding: padding as Pair };
}

function settings({ stride = 1, padding = 0 }: Conv2dOptions): Attributes {
  return { stride: pairAttribute(stride), padding: pairAttribute(padding) };
}

/** [N,O,H,W] → [O]: the sum over everything but the channels, the gradient of a bias. */
function sumChannels(a: Tensor): Tensor {
  const channels = a.shape[1]!;
  return reshape(sum(a, [0, 2, 3]), [channels]);
}

/**
 * 2-D convolution. x [N,C,H,W], w [O,C,K,L], bias [O] → [N,O,HO,WO], HO = ⌊(H + 2·padding − K) / stride⌋ + 1 and WO
 * likewise; rows and columns that the last step of the window leaves out have no influence.
 *
 * @throws ShapeError when channels differ, the window does not fit, or a stride or padding makes no sense.
 */
export function conv2d(
  x: Tensor,
  w: Tensor,
  options: Conv2dOptions & { readonly bias?: Tensor } = {},
): Tensor {
  const operands = options.bias === undefined ? [x, w] : [x, w, options.bias];
  return apply(conv2dDefinition, operands, settings(options));
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
): Tensor => apply(inputGradDefinition, [cotangent, w], { ...settings(options), shape: [...shape] });

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
): Tensor => apply(weightGradDefinition, [x, cotangent], { ...settings(options), shape: [...shape] });

export const conv2dOperations: readonly OperationDefinition[] = [
  conv2dDefinition,
  inputGradDefinition,
  weightGradDefinition,
];

export const conv2dReferences: ReferenceRules = {
  conv2d: conv2dReference,
  conv2dInputGrad: inputGradReference,
  conv2dWeightGrad: weightGradReference,
};
