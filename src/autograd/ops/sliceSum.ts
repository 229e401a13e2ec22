/** Launches of reduce.wgsl on one tensor: a pass of a reduction, and the second half of a sum split into slices. */
import { unrollFactor } from '../../kernels/catalogue.js';
import type { Definitions } from '../../kernels/template.js';
import type { Lowering, Storage } from '../operation.js';

/** [OUTER, R, INNER] reduced over R in SLICES slices of PER_SLICE elements. */
export interface ReductionExtents {
  readonly OUTER: number;
  readonly R: number;
  readonly INNER: number;
  readonly SLICES: number;
  readonly PER_SLICE: number;
  readonly MAXIMUM: boolean;
}

/** The extents as definitions, with the turns of the loop written out: they must divide every slice, the last too. */
export function reductionDefinitions(extents: ReductionExtents, unroll: number): Definitions {
  const { R, PER_SLICE } = extents;
  return { ...extents, UNROLL: R % PER_SLICE === 0 ? unrollFactor(PER_SLICE, unroll) : 1 };
}

/** One pass over a tensor as it lies in memory. */
export function launchReduction(
  lowering: Lowering,
  extents: ReductionExtents,
  source: Storage,
  output: Storage,
): void {
  const { OUTER, R, INNER, SLICES } = extents;
  const definitions: Definitions = {
    ...reductionDefinitions(extents, lowering.tuning.unroll),
    BINDINGS:
      '@group(0) @binding(0) var<storage, read_write> operand0: array<f32>;\n' +
      '@group(0) @binding(1) var<storage, read_write> result: array<f32>;',
    BASES: '',
    BODY: '',
    VALUE: `operand0[(outer * ${R}u + item) * ${INNER}u + inner]`,
  };
  lowering.launch('reduce', definitions, [source, output], OUTER * SLICES * INNER);
}

/** Adds up `slices` partial results of `size` elements each, in order. */
export function launchSliceSum(
  lowering: Lowering,
  part: Storage,
  output: Storage,
  slices: number,
  size: number,
): void {
  const extents = { OUTER: 1, R: slices, INNER: size, SLICES: 1, PER_SLICE: slices, MAXIMUM: false };
  launchReduction(lowering, extents, part, output);
}
