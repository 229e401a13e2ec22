/** Launches of reductions: a pass over a fused chain or one tensor, and the second half of a sum split into slices. */
import { storageBinding } from '../../kernels/bindings.js';
import { unrollFactor } from '../../kernels/catalogue.js';
import { rowWorkgroup, treeDefinitions } from '../../kernels/rowTrees.js';
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
function reductionDefinitions(extents: ReductionExtents, unroll: number): Definitions {
  const { R, PER_SLICE } = extents;
  return { ...extents, UNROLL: R % PER_SLICE === 0 ? unrollFactor(PER_SLICE, unroll) : 1 };
}

/** One pass over a chain, by reduceTree.wgsl where a workgroup takes a row, else by an invocation an element of the result. */
export function launchReductionPass(
  lowering: Lowering,
  extents: ReductionExtents,
  chain: Definitions,
  buffers: readonly Storage[],
): void {
  const { OUTER, SLICES, INNER, PER_SLICE } = extents;
  const { rowTree, unroll } = lowering.tuning;
  const WORKGROUP = INNER === 1 ? rowWorkgroup(PER_SLICE, rowTree) : null;
  if (WORKGROUP !== null) {
    const definitions = { ...extents, ...chain, ...treeDefinitions(WORKGROUP, lowering.subgroupLanes) };
    lowering.launchWorkgroups('reduceTree', definitions, buffers, OUTER * SLICES);
    return;
  }
  const definitions = { ...reductionDefinitions(extents, unroll), ...chain };
  lowering.launch('reduce', definitions, buffers, OUTER * SLICES * INNER);
}

/** One pass over a tensor as it lies in memory. */
export function launchReduction(
  lowering: Lowering,
  extents: ReductionExtents,
  source: Storage,
  output: Storage,
): void {
  const { R, INNER } = extents;
  const chain: Definitions = {
    BINDINGS: `${storageBinding(0, 'operand0')}\n${storageBinding(1, 'result')}`,
    BASES: '',
    BODY: '',
    VALUE: `operand0[(outer * ${R}u + item) * ${INNER}u + inner]`,
  };
  launchReductionPass(lowering, extents, chain, [source, output]);
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

/**
 * A result of `size` elements whose sums are cut into `slices`: `launch` writes [slices, size] to where it is told, the
 * result itself if there is one slice, and the slices are then added up.
 */
export function launchInSlices(
  lowering: Lowering,
  output: Storage,
  slices: number,
  size: number,
  launch: (part: Storage) => void,
): void {
  if (slices === 1) {
    launch(output);
    return;
  }
  const part = lowering.scratch(slices * size);
  launch(part);
  launchSliceSum(lowering, part, output, slices, size);
}
