/** Lowers fused chains: one elementwise pass, or the passes of a reduction with a chain as its operand. */
import { evenPieces, splitSum } from '../../kernels/catalogue.js';
import type { Lowering, Storage } from '../operation.js';
import { type Operation, type Shape, sizeOf, type Tape } from '../tape.js';
import { bindingsText, type Chain, chainShape, placeExpression, planWalk, writeChain } from './fuse.js';

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
  const chain = writeChain(
    tape,
    operation.id,
    inlined,
    (k) => `operand${k}[place${k} + item * step${k}]`,
    true,
  );
  const walk = planWalk(
    shape,
    chain.operands.map((id) => tape.operations[id]!.type.shape),
  );
  const ROW = walk.extents.at(-1)!;
  const ITEMS = evenPieces(ROW, lowering.tuning.elementwiseItems);
  const BLOCKS = Math.ceil(ROW / ITEMS);
  const COUNT = sizeOf(shape);
  const bases = chain.operands.map((_, k) => {
    const strides = walk.strides[k]!;
    return (
      `  let place${k} = ${placeExpression('row', walk.extents.slice(0, -1), strides.slice(0, -1))};\n` +
      `  const step${k} = ${strides.at(-1)!}u;`
    );
  });
  lowering.launch(
    'elementwise',
    {
      COUNT,
      ROW,
      ITEMS,
      BLOCKS,
      BINDINGS: bindingsText(operandTypes(tape, chain)),
      BASES: bases.join('\n'),
      BODY: chain.statements.join('\n'),
      VALUE: chain.value,
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
  const MAXIMUM = operation.name === 'maximum';
  const passes = splitIntoPasses(shape, axes);
  let source: Storage | null = null;

  passes.forEach(({ OUTER, R, INNER }, pass) => {
    const isLast = pass === passes.length - 1;
    const { slices, perSlice } = splitSum(R, OUTER * INNER, lowering.tuning);
    const output = isLast && slices === 1 ? storage(operation.id) : lowering.scratch(OUTER * slices * INNER);
    if (source === null) {
      const flat = `((outer * ${R}u + item) * ${INNER}u + inner)`;
      const chain = writeChain(tape, operation.inputs[0]!, inlined, (k) => `operand${k}[PLACE${k}]`, false);
      const operandShapes = chain.operands.map((id) => tape.operations[id]!.type.shape);
      const { bases, places } = reductionPlaces(shape, operandShapes, { OUTER, R, INNER }, flat);
      const body = chain.statements.map((line) => line.replace(/PLACE(\d+)/, (_, k) => places[Number(k)]!));
      lowering.launch(
        'reduce',
        {
          ...{ OUTER, R, INNER, SLICES: slices, PER_SLICE: perSlice, MAXIMUM },
          BINDINGS: bindingsText(operandTypes(tape, chain)),
          BASES: bases.join('\n'),
          BODY: body.join('\n'),
          VALUE: chain.value,
        },
        [...chain.operands.map(storage), output],
        OUTER * slices * INNER,
      );
    } else {
      launchPlain(
        lowering,
        { OUTER, R, INNER, SLICES: slices, PER_SLICE: perSlice, MAXIMUM },
        source,
        output,
      );
    }
    source = output;
    if (slices > 1) {
      const end = isLast ? storage(operation.id) : lowering.scratch(OUTER * INNER);
      launchPlain(lowering, { OUTER, R: slices, INNER, SLICES: 1, PER_SLICE: slices, MAXIMUM }, output, end);
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

/** Each operand's place as a base outside the loop and a step inside it, where its strides allow. */
function reductionPlaces(
  shape: Shape,
  operandShapes: readonly Shape[],
  { OUTER, R, INNER }: PassExtents,
  flat: string,
): { bases: string[]; places: string[] } {
  const walk = planWalk(shape, operandShapes);
  const bases: string[] = [];
  const places = walk.strides.map((strides, k) => {
    const contiguous = walk.extents.length === 1;
    const rowsMatch = INNER === 1 && walk.extents.at(-1) === R && sizeOf(walk.extents.slice(0, -1)) === OUTER;
    if (contiguous) return strides[0] === 0 ? '0u' : flat;
    if (!rowsMatch) return placeExpression(flat, walk.extents, strides);
    bases.push(
      `  let place${k} = ${placeExpression('outer', walk.extents.slice(0, -1), strides.slice(0, -1))};`,
    );
    return `place${k} + item * ${strides.at(-1)!}u`;
  });
  return { bases, places };
}

function launchPlain(
  lowering: Lowering,
  extents: PassExtents & { readonly SLICES: number; readonly PER_SLICE: number; readonly MAXIMUM: boolean },
  source: Storage,
  output: Storage,
): void {
  const { OUTER, R, INNER, SLICES } = extents;
  lowering.launch(
    'reduce',
    {
      ...extents,
      BINDINGS: bindingsText(['f32']),
      BASES: '',
      BODY: '',
      VALUE: `operand0[(outer * ${R}u + item) * ${INNER}u + inner]`,
    },
    [source, output],
    OUTER * SLICES * INNER,
  );
}

function operandTypes(tape: Tape, chain: Chain): string[] {
  return chain.operands.map((id) => tape.operations[id]!.type.dataType);
}
