/** Cases of the operations on images: convolution, views, and the row statistics of instance normalisation. */
import fc from 'fast-check';
import { augment } from '../../../src/autograd/ops/augment.js';
import { blur } from '../../../src/autograd/ops/blur.js';
import { conv2d, conv2dInputGrad, conv2dWeightGrad } from '../../../src/autograd/ops/conv2d.js';
import {
  meanProductRows,
  projectRows,
  reciprocalDeviation,
  standardiseRows,
} from '../../../src/autograd/ops/instanceNorm.js';
import { VIEW_NUMBERS, warp, warpAdjoint } from '../../../src/autograd/ops/warp.js';
import { i32 } from '../../../src/autograd/tape.js';
import {
  type CaseInput,
  floats,
  type OperationCase,
  type OperationProperty,
  property,
  type Sizes,
  seed,
} from './case.js';
import { both, outputExtent, pairs } from './windows.js';

const convolutionParameters = ({ extent, few }: Sizes) =>
  fc
    .record({
      seed,
      N: few,
      C: few,
      O: extent,
      H: extent,
      W: extent,
      K: fc.integer({ min: 1, max: 6 }),
      L: fc.integer({ min: 1, max: 6 }),
      stride: pairs(1, 3),
      padding: pairs(0, 3),
      square: fc.boolean(),
      bias: fc.boolean(),
    })
    .map(({ square, ...parameters }) => {
      // Half of the windows are square, which some kernels treat apart; all are cut down to what fits.
      const { K, H, W } = parameters;
      const [above, left] = both(parameters.padding);
      const rows = Math.min(K, H + 2 * above);
      const columns = Math.min(square ? rows : parameters.L, W + 2 * left);
      return { ...parameters, K: rows, L: columns };
    });

type ConvolutionParameters =
  ReturnType<typeof convolutionParameters> extends fc.Arbitrary<infer P> ? P : never;

function shapesOf({ N, C, O, H, W, K, L, stride, padding }: ConvolutionParameters) {
  const [[SH, SW], [PH, PW]] = [both(stride), both(padding)];
  return {
    x: [N, C, H, W],
    w: [O, C, K, L],
    y: [N, O, outputExtent(H, K, SH, PH), outputExtent(W, L, SW, PW)],
  };
}

/**
 * Where views look: near their own image, turned by a right angle (rows become columns), all at one place, mirrored, far
 * beyond the border, or at pixels that hardly change along a row.
 */
const viewForms = {
  near: [1, 0, 0, 0, 1, 0],
  turned: [0, -1, 1, 1, 0, 1],
  still: [0, 0, 1, 0, 0, 1],
  mirrored: [-1, 0, 1, 0, 1, 1],
  far: [1, 0, 40, 0, 1, -3],
  flat: [2e-4, 1, 1, 1, 2e-4, 0.5],
} as const;

const viewParameters = ({ extent, few }: Sizes) =>
  fc.record({
    seed,
    B: few,
    C: few,
    H: extent,
    W: extent,
    noise: fc.constantFrom(0, 0.05),
    stream: fc.array(fc.integer(), { minLength: 4, maxLength: 4 }),
    form: fc.constantFrom(...(Object.keys(viewForms) as (keyof typeof viewForms)[])),
  });

/** Views that turn, shift, stretch and recolour; every second one is gray. Those not `near` are exact, on pixels and off. */
function viewNumbers(seed: number, images: number, noise: number, form: keyof typeof viewForms): CaseInput {
  const identity = [...viewForms[form], 1, 0, 0, noise, 0, 0];
  const view = floats(seed, 'view', [images, VIEW_NUMBERS]);
  const values = Float32Array.from(view.values, (value, place) => {
    const k = place % VIEW_NUMBERS;
    if (k === 8) return Math.floor(place / VIEW_NUMBERS) % 2;
    return identity[k]! + (k < 8 && (k > 5 || form === 'near') ? 0.3 * value : 0);
  });
  return { type: view.type, values };
}

const rowParameters = ({ extent, few }: Sizes) =>
  fc.record({
    seed,
    N: few,
    C: extent,
    H: extent,
    W: fc.option(extent),
    epsilon: fc.constantFrom(0.01, 0.3),
  });

const rowShape = ({ N, C, H, W }: { N: number; C: number; H: number; W: number | null }): number[] =>
  W === null ? [N, C, H] : [N, C, H, W];

export const convolutionProperties = (sizes: Sizes): OperationProperty[] => [
  property('conv2d', convolutionParameters(sizes), (parameters): OperationCase => {
    const { seed, O, stride, padding } = parameters;
    const { x, w } = shapesOf(parameters);
    return {
      inputs: {
        x: floats(seed, 'x', x),
        w: floats(seed, 'w', w),
        ...(parameters.bias ? { bias: floats(seed, 'bias', [O]) } : {}),
      },
      build: ({ x, w, bias }) => conv2d(x!, w!, { stride, padding, ...(bias === undefined ? {} : { bias }) }),
      differentiable: parameters.bias ? ['x', 'w', 'bias'] : ['x', 'w'],
    };
  }),
  property('conv2dInputGrad', convolutionParameters(sizes), (parameters): OperationCase => {
    const { seed, stride, padding } = parameters;
    const { x, w, y } = shapesOf(parameters);
    return {
      inputs: { cotangent: floats(seed, 'cotangent', y), w: floats(seed, 'w', w) },
      build: ({ cotangent, w }) => conv2dInputGrad(cotangent!, w!, x, { stride, padding }),
      differentiable: ['cotangent', 'w'],
    };
  }),
  property('conv2dWeightGrad', convolutionParameters(sizes), (parameters): OperationCase => {
    const { seed, stride, padding } = parameters;
    const { x, w, y } = shapesOf(parameters);
    return {
      inputs: { x: floats(seed, 'x', x), cotangent: floats(seed, 'cotangent', y) },
      build: ({ x, cotangent }) => conv2dWeightGrad(x!, cotangent!, w, { stride, padding }),
      differentiable: ['x', 'cotangent'],
    };
  }),
  property('augment', viewParameters(sizes), ({ seed, B, C, H, W, noise, stream, form }) => ({
    inputs: {
      x: floats(seed, 'x', [B, C, H, W]),
      view: viewNumbers(seed, B, noise, form),
      stream: { type: i32(4), values: Int32Array.from(stream) },
    },
    build: ({ x, view, stream }) => augment(x!, view!, stream!),
    differentiable: ['x'],
  })),
  property('warp', viewParameters(sizes), ({ seed, B, C, H, W, noise, form }) => ({
    inputs: { x: floats(seed, 'x', [B, C, H, W]), view: viewNumbers(seed, B, noise, form) },
    build: ({ x, view }) => warp(x!, view!),
    differentiable: ['x'],
  })),
  property('warpAdjoint', viewParameters(sizes), ({ seed, B, C, H, W, noise, form }) => ({
    inputs: { c: floats(seed, 'c', [B, C, H, W]), view: viewNumbers(seed, B, noise, form) },
    build: ({ c, view }) => warpAdjoint(c!, view!),
    differentiable: ['c'],
  })),
  property(
    'blur',
    fc.record({
      seed,
      B: sizes.few,
      C: sizes.few,
      H: sizes.extent,
      W: sizes.extent,
      reach: fc.integer({ min: 0, max: 4 }),
      axis: fc.constantFrom(2 as const, 3 as const),
    }),
    ({ seed, B, C, H, W, reach, axis }) => ({
      inputs: { x: floats(seed, 'x', [B, C, H, W]), shares: floats(seed, 'shares', [B, reach + 1]) },
      build: ({ x, shares }) => blur(x!, shares!, axis),
      differentiable: ['x'],
    }),
  ),
  property('standardiseRows', rowParameters(sizes), (parameters) => ({
    inputs: { x: floats(parameters.seed, 'x', rowShape(parameters)) },
    build: ({ x }) => standardiseRows(x!, parameters.epsilon),
    differentiable: ['x'],
  })),
  property('reciprocalDeviation', rowParameters(sizes), (parameters) => ({
    inputs: { x: floats(parameters.seed, 'x', rowShape(parameters)) },
    build: ({ x }) => reciprocalDeviation(x!, parameters.epsilon),
    differentiable: ['x'],
  })),
  property('projectRows', rowParameters(sizes), (parameters) => ({
    inputs: {
      u: floats(parameters.seed, 'u', rowShape(parameters)),
      standardised: floats(parameters.seed, 'standardised', rowShape(parameters)),
    },
    build: ({ u, standardised }) => projectRows(u!, standardised!),
    differentiable: ['u', 'standardised'],
  })),
  property('meanProductRows', rowParameters(sizes), (parameters) => ({
    inputs: {
      a: floats(parameters.seed, 'a', rowShape(parameters)),
      b: floats(parameters.seed, 'b', rowShape(parameters)),
    },
    build: ({ a, b }) => meanProductRows(a!, b!),
    differentiable: ['a', 'b'],
  })),
];
