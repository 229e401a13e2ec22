/** Lowers fused chains: one elementwise pass, or the passes of a reduction with a chain as its operand. */
import { pieceLength, splitReduction } from '../../kernels/catalogue.js';
import type { Lowering, Storage } from '../operation.js';
import { launchReduction, launchReductionPass } from '../ops/reductionLaunches.js';
import { type Operation, type Shape, sizeOf, type Tape } from '../tape.js';
import { placeExpression, type Walk } from '../walk.js';
import { bindingsText, type Chain, chainShape, planWalk, writeChain } from './fuse.js';

export interface ChainContext {
  readonly tape: Tape;
  readonly inlined: ReadonlySet<number>;
  readonly lowering: Lowering;
  /** Where a tape value lies in memory. */
  readonly storage: (id: number) => Storage;
}

/** One pass over the output's elements. */
export function lowerElementwise(
  { tape, inlined, lowering, storage }: ChainContext,
  operation: Operation,
): void {
  const { shape } = operation.type;
  const chain = writeChain(tape, operation.id, inlined, true);
  const walk = planWalk(
    shape,
    chain.operands.map((id) => tape.operations[id]!.type.shape),
  );
  const ROW = walk.extents.at(-1)!;
  const ITEMS = pieceLength(ROW, lowering.tuning.elementwiseItems);
  const BLOCKS = Math.ceil(ROW / ITEMS);
  const COUNT = sizeOf(shape);
  const { bases, loads } = rowLoads(walk, 'row');
  lowering.launch(
    'elementwise',
    {
      COUNT,
      ROW,
      ITEMS,
      BLOCKS,
      BINDINGS: bindingsText(operandTypes(tape, chain)),
      BASES: bases.join('\n'),
      BODY: chainBody(chain, loads),
      VALUE: chain.value,
      OPERATIONS: chain.operations,
    },
    [...chain.operands.map(storage), storage(operation.id)],
    (COUNT / ROW) * BLOCKS,
  );
}

/**
 * A reduction over any axes: neighbouring reduced axes are one pass, last axes first, so that the first pass reads
 * memory in order and holds the chain; later passes are small.
 */
export function lowerReduction(context: ChainContext, operation: Operation): void {
  const { tape, inlined, lowering, storage } = context;
  const shape = chainShape(tape, operation);
  const axes = operation.attributes.axes as readonly number[];
  const MAXIMUM = operation.name === 'max';
  const passes = splitIntoPasses(shape, axes);
  let source: Storage | null = null;

  passes.forEach(({ OUTER, R, INNER }, pass) => {
    const isLast = pass === passes.length - 1;
    const { slices, perSlice } = splitReduction({ OUTER, R, INNER }, lowering.tuning);
    const sumExtents = { OUTER, R, INNER, SLICES: slices, PER_SLICE: perSlice, MAXIMUM };
    const output = isLast && slices === 1 ? storage(operation.id) : lowering.scratch(OUTER * slices * INNER);
    if (source === null) {
      const flat = `((outer * ${R}u + item) * ${INNER}u + inner)`;
      const chain = writeChain(tape, operation.inputs[0]!, inlined, false);
      const operandShapes = chain.operands.map((id) => tape.operations[id]!.type.shape);
      const { bases, loads } = reductionLoads(shape, operandShapes, { OUTER, R, INNER }, flat);
      launchReductionPass(
        lowering,
        sumExtents,
        {
          BINDINGS: bindingsText(operandTypes(tape, chain)),
          BASES: bases.join('\n'),
          BODY: chainBody(chain, loads),
          VALUE: chain.value,
          OPERATIONS: chain.operations,
        },
        [...chain.operands.map(storage), output],
      );
    } else {
      launchReduction(lowering, sumExtents, source, output);
    }
    source = output;
    if (slices > 1) {
      const end = isLast ? storage(operation.id) : lowering.scratch(OUTER * INNER);
      launchReduction(lowering, { ...sumExtents, R: slices, SLICES: 1, PER_SLICE: slices }, output, end);
      source = end;
    }
  });
}

interface PassExtents {
  readonly OUTER: number;
  readonly R: number;
  readonly INNER: number;
}

function splitIntoPasses(shape: Shape, axes: readonly number[]): PassExtents[] {
  const extents = [...shape];
  const passes: PassExtents[] = [];
  let axis = shape.length - 1;
  while (axis >= 0) {
    if (!axes.includes(axis) || extents[axis] === 1) {
      axis--;
      continue;
    }
    let first = axis;
    while (first > 0 && (axes.includes(first - 1) || extents[first - 1] === 1)) first--;
    passes.push({
      OUTER: sizeOf(extents.slice(0, first)),
      R: sizeOf(extents.slice(first, axis + 1)),
      INNER: sizeOf(extents.slice(axis + 1)),
    });
    for (let k = first; k <= axis; k++) extents[k] = 1;
    axis = first - 1;
  }
  return passes.length > 0 ? passes : [{ OUTER: sizeOf(shape), R: 1, INNER: 1 }];
}

/** How each operand is read: a base outside the loop and a step inside it, where its strides allow. */
function reductionLoads(
  shape: Shape,
  operandShapes: readonly Shape[],
  { OUTER, R, INNER }: PassExtents,
  flat: string,
): { bases: string[]; loads: string[] } {
  const walk = planWalk(shape, operandShapes);
  const isFlat = walk.extents.length === 1;
  const isRows = INNER === 1 && walk.extents.at(-1) === R && sizeOf(walk.extents.slice(0, -1)) === OUTER;
  if (isRows && !isFlat) return rowLoads(walk, 'outer');
  const loads = walk.strides.map((strides, k) => {
    if (isFlat) return strides.at(-1) === 0 ? `operand${k}[0]` : `operand${k}[${flat}]`;
    return `operand${k}[${placeExpression(flat, walk.extents, strides)}]`;
  });
  return { bases: [], loads };
}

/** Each operand's base, worked out once a row, and its load from there: one that is constant along the row is read once. */
function rowLoads({ extents, strides }: Walk, row: 'row' | 'outer'): { bases: string[]; loads: string[] } {
  const bases: string[] = [];
  const loads = strides.map((stride, k) => {
    const step = stride.at(-1)!;
    const place = placeExpression(row, extents.slice(0, -1), stride.slice(0, -1));
    bases.push(step === 0 ? `  let fixed${k} = operand${k}[${place}];` : `  let place${k} = ${place};`);
    return step === 0 ? `fixed${k}` : `operand${k}[place${k} + item * ${step}u]`;
  });
  return { bases, loads };
}

/** A chain's statements, with each operand's load put in. */
function chainBody(chain: Chain, loads: readonly string[]): string {
  return chain.statements
    .map((line) => line.replace(/\bload(\d+)\b/g, (_, k) => loads[Number(k)]!))
    .join('\n');
}

function operandTypes(tape: Tape, chain: Chain): string[] {
  return chain.operands.map((id) => tape.operations[id]!.type.dataType);
}
