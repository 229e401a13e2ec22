/**
 * Maximum pooling as a choice of pixels. With a(x) the place of each window's maximum, the family is closed:
 *
 *     y = maxPool2d(x, u):           y[w] = u[a(x)[w]]           ū = maxPool2dInputGrad(ȳ, x)     (u: x itself, if not given)
 *     ū = maxPool2dInputGrad(c, x):  ū[p] = Σ_{w: a(x)[w] = p} c[w]   c̄ = maxPool2d(x, cotangent of ū)
 *
 * Both are linear in u and c; the places move with x only in jumps, so that nothing flows back through them.
 */
import { ShapeError } from '../../errors.js';
import {
  apply,
  type LoweredOperation,
  type Lowering,
  type OperationDefinition,
  type Reference,
  type ReferenceRule,
  type ReferenceRules,
  referenceZeros,
} from '../operation.js';
import { type Attributes, type Shape, sameShape, shapeText, typeText } from '../tape.js';
import type { Tensor } from '../trace.js';
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

/** Visits each window with the place of its maximum: the first in row-major order, or the last NaN. */
function forEachMaximum(
  x: Reference,
  extents: PoolExtents,
  visit: (n: number, c: number, i: number, j: number, r: number, s: number) => void,
): void {
  forEachWindow(extents, (n, c, i, j) => {
    let maximum = Number.NEGATIVE_INFINITY;
    let place: readonly [number, number] | undefined;
    forEachPixel(extents, i, j, (r, s) => {
      const value = x.get(n, c, r, s);
      if (place !== undefined && !(value > maximum) && !Number.isNaN(value)) return;
      maximum = value;
      place = [r, s];
    });
    // No window is empty: at most half of one is padding.
    visit(n, c, i, j, ...place!);
  });
}

const referenceExtents = (operation: string, shape: Shape, attributes: Attributes): PoolExtents =>
  poolExtents(operation, { dataType: 'f32', shape }, attributes);

const maxPoolReference: ReferenceRule = ([x, u], attributes, { shape }) => {
  const y = referenceZeros(shape);
  forEachMaximum(x!, referenceExtents('maxPool2d', x!.shape, attributes), (n, c, i, j, r, s) => {
    y.set(n, c, i, j, (u ?? x!).get(n, c, r, s));
  });
  return y;
};

const maxPoolDefinition: OperationDefinition = {
  name: 'maxPool2d',
  type([x, u], attributes) {
    const extents = poolExtents('maxPool2d', x!, attributes);
    if (u !== undefined && (u.dataType !== 'f32' || !sameShape(u.shape, x!.shape))) {
      throw new ShapeError(`maxPool2d: u is ${typeText(u)}, but must be f32${shapeText(x!.shape)} like x.`);
    }
    return { dataType: 'f32', shape: pooledShape(extents) };
  },
  vjp({ inputs: [x, u], attributes }, c) {
    const flowsBack = apply(adjointDefinition, [c, x!], attributes);
    return u === undefined ? [flowsBack] : [null, flowsBack];
  },
  lower(lowering, { inputs, inputTypes, attributes, output }) {
    const extents = poolExtents('maxPool2d', inputTypes[0]!, attributes);
    const { N, C, HO } = extents;
    const definitions = { ...modeDefinitions(extents, 'SELECT'), OTHER: inputs.length > 1 };
    lowering.launch('maxPool', definitions, [...inputs, output], N * C * HO);
  },
};

const adjointReference: ReferenceRule = ([cotangent, x], attributes, { shape }) => {
  const result = referenceZeros(shape);
  forEachMaximum(x!, referenceExtents('maxPool2dInputGrad', shape, attributes), (n, c, i, j, r, s) => {
    result.set(n, c, r, s, result.get(n, c, r, s) + cotangent!.get(n, c, i, j));
  });
  return result;
};

const adjointDefinition: OperationDefinition = {
  name: 'maxPool2dInputGrad',
  type([c, x], attributes) {
    const extents = poolExtents('maxPool2dInputGrad', x!, attributes);
    requirePooledCotangent('maxPool2dInputGrad', c!, extents, x!.shape);
    return x!;
  },
  vjp: ({ inputs: [, x], attributes }, u, wanted) => [
    wanted[0] ? apply(maxPoolDefinition, [x!, u], attributes) : null,
    null,
  ],
  lower: lowerAdjoint,
};

/** The places first, then each pixel gathers from the windows that chose it: the sum has a fixed order. */
function lowerAdjoint(lowering: Lowering, operation: LoweredOperation): void {
  const { inputs, type, attributes, output } = operation;
  const extents = poolExtents('maxPool2dInputGrad', type, attributes);
  const { N, C, H, HO, WO } = extents;
  const places = lowering.scratch(N * C * HO * WO);
  lowering.launch('maxPool', modeDefinitions(extents, 'PLACES'), [inputs[1]!, places], N * C * HO);
  lowering.launch('maxPool', modeDefinitions(extents, 'ADJOINT'), [inputs[0]!, places, output], N * C * H);
}

function modeDefinitions(extents: PoolExtents, mode: 'SELECT' | 'PLACES' | 'ADJOINT') {
  return {
    ...extents,
    CHANNELS: extents.N * extents.C,
    OTHER: false,
    PLACES: mode === 'PLACES',
    ADJOINT: mode === 'ADJOINT',
  };
}

/**
 * Maximum pooling: x [N,C,H,W] → [N,C,HO,WO], HO = ⌊(H + 2·padding − size)/stride⌋ + 1. Padding counts as −∞; a rest
 * that fills no window is left out. The gradient goes to a window's maximum, in a tie to the first in row-major order,
 * as in PyTorch; a NaN counts as the maximum (the last one, if there are several).
 *
 * @throws ShapeError when x has not four axes, the window does not fit, or the padding is more than half of it.
 */
export const maxPool2d = (x: Tensor, options: Pool2dOptions): Tensor =>
  apply(maxPoolDefinition, [x], poolAttributes(options));

export const maxPool2dOperations: readonly OperationDefinition[] = [maxPoolDefinition, adjointDefinition];

export const maxPool2dReferences: ReferenceRules = {
  maxPool2d: maxPoolReference,
  maxPool2dInputGrad: adjointReference,
};
