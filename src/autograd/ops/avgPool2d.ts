/** Average pooling and its adjoint: both linear, each the other's derivative. */
import { ShapeError } from '../../errors.js';
import { unrollFactor } from '../../kernels/catalogue.js';
import {
  apply,
  type Lowering,
  type OperationDefinition,
  type ReferenceRule,
  type ReferenceRules,
  referenceZeros,
  type Storage,
} from '../operation.js';
import { type Shape, shapeText } from '../tape.js';
import type { Tensor } from '../trace.js';
import { wgslNumber } from './constants.js';
import {
  forEachPixel,
  forEachWindow,
  type Pool2dOptions,
  type PoolExtents,
  poolAttributes,
  poolExtents,
  pooledShape,
  requirePooledCotangent,
} from './pool2dExtents.js';
import { mean, reshape } from './reduce.js';

function launchPool(
  lowering: Lowering,
  extents: PoolExtents,
  adjoint: boolean,
  source: Storage,
  output: Storage,
): void {
  const { N, C, H, K, L, SH, SW, PH, PW, HO, WO } = extents;
  const { unroll, poolTerms } = lowering.tuning;
  const isWhole = PH === 0 && PW === 0;
  const definitions = {
    ...extents,
    CHANNELS: N * C,
    ADJOINT: adjoint,
    WRITTEN_OUT: isWhole && (adjoint ? K === SH && L === SW : true) && K * L <= poolTerms,
    UNROLL: unrollFactor(WO, Math.max(1, Math.min(unroll, Math.floor(poolTerms / (K * L))))),
    INVERSE_AREA: wgslNumber(1 / (K * L)),
  };
  lowering.launch('avgPool', definitions, [source, output], N * C * (adjoint ? H : HO));
}

/** Whether the windows lie side by side and cover every pixel: a plane's windows are then local to it. */
const tiles = ({ H, W, K, L, SH, SW, PH, PW }: PoolExtents): boolean =>
  PH === 0 && PW === 0 && K === SH && L === SW && H % K === 0 && W % L === 0;

const avgPoolReference: ReferenceRule = ([x], attributes, { shape }) => {
  const y = referenceZeros(shape);
  const extents = poolExtents('avgPool2d', { dataType: 'f32', shape: x!.shape }, attributes);
  forEachWindow(extents, (n, c, i, j) => {
    let total = 0;
    forEachPixel(extents, i, j, (r, s) => {
      total += x!.get(n, c, r, s);
    });
    y.set(n, c, i, j, total / (extents.K * extents.L));
  });
  return y;
};

const avgPoolDefinition: OperationDefinition = {
  name: 'avgPool2d',
  type: ([x], attributes) => ({
    dataType: 'f32',
    shape: pooledShape(poolExtents('avgPool2d', x!, attributes)),
  }),
  vjp: ({ inputs: [x], attributes }, c) => [
    apply(adjointDefinition, [c], { ...attributes, shape: [...x!.shape] }),
  ],
  lower(lowering, { inputs, inputTypes, attributes, output }) {
    const extents = poolExtents('avgPool2d', inputTypes[0]!, attributes);
    launchPool(lowering, extents, false, inputs[0]!, output);
  },
  row({ inputTypes, attributes }) {
    const extents = poolExtents('avgPool2d', inputTypes[0]!, attributes);
    if (!tiles(extents)) return null;
    if (extents.K * extents.L === 1) return (_rows, [x]) => x!;
    const isWhole = extents.HO * extents.WO === 1;
    return (rows, [x]) => (isWhole ? rows.mean(x!) : rows.windowMean(x!));
  },
};

const adjointReference: ReferenceRule = ([c], attributes, type) => {
  const x = referenceZeros(type.shape);
  const extents = poolExtents('avgPool2dInputGrad', type, attributes);
  forEachWindow(extents, (n, channel, i, j) => {
    const share = c!.get(n, channel, i, j) / (extents.K * extents.L);
    forEachPixel(extents, i, j, (r, s) => {
      x.set(n, channel, r, s, x.get(n, channel, r, s) + share);
    });
  });
  return x;
};

const adjointDefinition: OperationDefinition = {
  name: 'avgPool2dInputGrad',
  type([c], attributes) {
    const x = { dataType: 'f32', shape: attributes.shape as Shape } as const;
    const extents = poolExtents('avgPool2dInputGrad', x, attributes);
    requirePooledCotangent('avgPool2dInputGrad', c!, extents, x.shape);
    return x;
  },
  vjp: ({ attributes: { shape: _, ...settings } }, c) => [apply(avgPoolDefinition, [c], settings)],
  lower(lowering, { inputs, type, attributes, output }) {
    const extents = poolExtents('avgPool2dInputGrad', type, attributes);
    launchPool(lowering, extents, true, inputs[0]!, output);
  },
  row({ type, attributes }) {
    const extents = poolExtents('avgPool2dInputGrad', type, attributes);
    if (!tiles(extents)) return null;
    if (extents.K * extents.L === 1) return (_rows, [c]) => c!;
    const share = wgslNumber(1 / (extents.K * extents.L));
    return (rows, [c]) => rows.spread(rows.map(([value]) => `(${value} * ${share})`, [c!]));
  },
};

/**
 * Average pooling: x [N,C,H,W] → [N,C,HO,WO], HO = ⌊(H + 2·padding − size)/stride⌋ + 1. A rest that fills no window is
 * left out. Padding counts as zeros: a window's sum is always divided by its whole size (PyTorch's default,
 * `count_include_pad=True`).
 *
 * @throws ShapeError when x has not four axes, the window does not fit, or the padding is more than half of it.
 */
export const avgPool2d = (x: Tensor, options: Pool2dOptions): Tensor =>
  apply(avgPoolDefinition, [x], poolAttributes(options));

/**
 * The mean of each channel of each image: x [N,C,H,W] → [N,C].
 *
 * @throws ShapeError when x has not four axes.
 */
export function globalAveragePool(x: Tensor): Tensor {
  if (x.shape.length !== 4) {
    throw new ShapeError(
      `globalAveragePool: x is ${shapeText(x.shape)}, but a tensor [N,C,H,W] is needed; reshape it first.`,
    );
  }
  return reshape(mean(x, [2, 3]), x.shape.slice(0, 2));
}

export const avgPool2dOperations: readonly OperationDefinition[] = [avgPoolDefinition, adjointDefinition];

export const avgPool2dReferences: ReferenceRules = {
  avgPool2d: avgPoolReference,
  avgPool2dInputGrad: adjointReference,
};
