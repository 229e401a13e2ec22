/** Average pooling and its adjoint: both linear, each the other's derivative. */
import { ShapeError } from '../../errors.js';
import { unrollFactor } from '../../kernels/catalogue.js';
import {
  apply,
  type Lowering,
  type OperationDefinition,
  referenceZeros,
  type Storage,
} from '../operation.js';
import { type Attributes, type Shape, shapeText } from '../tape.js';
import type { Tensor } from '../trace.js';

/** The window of an average pooling. */
export interface Pool2dOptions {
  /** Side of the square window. */
  readonly size: number;
  /** Step of the window; the window's size by default. */
  readonly stride?: number;
}

function extentsOf(shape: Shape, { size, stride }: Attributes) {
  if (shape.length !== 4) {
    throw new ShapeError(`avgPool2d: x is ${shapeText(shape)}, but a tensor [N,C,H,W] is needed.`);
  }
  const [N, C, H, W] = shape as [number, number, number, number];
  const K = Number(size);
  const S = Number(stride);
  if (!Number.isInteger(K) || K < 1 || !Number.isInteger(S) || S < 1 || K > H || K > W) {
    throw new ShapeError(
      `avgPool2d: a window of ${K} with stride ${S} does not fit into x ${shapeText(shape)}.`,
    );
  }
  return { N, C, H, W, K, S, HO: Math.floor((H - K) / S) + 1, WO: Math.floor((W - K) / S) + 1 };
}

/** Visits each (output pixel, input pixel) pair of one window. */
function forEachPair(
  { N, C, HO, WO, K, S }: ReturnType<typeof extentsOf>,
  visit: (n: number, c: number, i: number, j: number, r: number, s: number) => void,
): void {
  for (let n = 0; n < N; n++)
    for (let c = 0; c < C; c++)
      for (let i = 0; i < HO; i++)
        for (let j = 0; j < WO; j++)
          for (let p = 0; p < K; p++) for (let q = 0; q < K; q++) visit(n, c, i, j, i * S + p, j * S + q);
}

function launchPool(
  lowering: Lowering,
  extents: ReturnType<typeof extentsOf>,
  adjoint: boolean,
  source: Storage,
  output: Storage,
): void {
  const { N, C, H, HO, WO, K } = extents;
  const UNROLL = unrollFactor(WO, lowering.tuning.unroll);
  const definitions = {
    ...extents,
    CHANNELS: N * C,
    ADJOINT: adjoint,
    UNROLL,
    INVERSE_AREA: `f32(${1 / (K * K)})`,
  };
  lowering.launch('avgPool', definitions, [source, output], N * C * (adjoint ? H : HO));
}

const avgPoolDefinition: OperationDefinition = {
  name: 'avgPool2d',
  type([x], attributes) {
    const { N, C, HO, WO } = extentsOf(x!.shape, attributes);
    return { dataType: 'f32', shape: [N, C, HO, WO] };
  },
  reference([x], attributes, { shape }) {
    const y = referenceZeros(shape);
    const extents = extentsOf(x!.shape, attributes);
    forEachPair(extents, (n, c, i, j, r, s) => {
      y.set(n, c, i, j, y.get(n, c, i, j) + x!.get(n, c, r, s) / extents.K ** 2);
    });
    return y;
  },
  vjp: ({ inputs: [x], attributes }, c) => [
    apply(adjointDefinition, [c], { ...attributes, shape: [...x!.shape] }),
  ],
  lower(lowering, { inputs, inputTypes, attributes, output }) {
    launchPool(lowering, extentsOf(inputTypes[0]!.shape, attributes), false, inputs[0]!, output);
  },
};

const adjointDefinition: OperationDefinition = {
  name: 'avgPool2dInputGrad',
  type: (_inputs, { shape }) => ({ dataType: 'f32', shape: shape as Shape }),
  reference([c], attributes, { shape }) {
    const x = referenceZeros(shape);
    const extents = extentsOf(shape, attributes);
    forEachPair(extents, (n, channel, i, j, r, s) => {
      x.set(n, channel, r, s, x.get(n, channel, r, s) + c!.get(n, channel, i, j) / extents.K ** 2);
    });
    return x;
  },
  vjp: ({ attributes: { size, stride } }, c) => [
    apply(avgPoolDefinition, [c], { size: size!, stride: stride! }),
  ],
  lower(lowering, { inputs, type, attributes, output }) {
    launchPool(lowering, extentsOf(type.shape, attributes), true, inputs[0]!, output);
  },
};

/**
 * Average pooling: x [N,C,H,W] → [N,C,⌊(H−size)/stride⌋+1, ⌊(W−size)/stride⌋+1]; a rest that fills no window is left out.
 *
 * @throws ShapeError when x has not four axes or the window does not fit into it.
 */
export const avgPool2d = (x: Tensor, { size, stride = size }: Pool2dOptions): Tensor =>
  apply(avgPoolDefinition, [x], { size, stride });

export const avgPool2dOperations: readonly OperationDefinition[] = [avgPoolDefinition, adjointDefinition];
