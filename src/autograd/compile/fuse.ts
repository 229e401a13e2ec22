/**
 * Fusion: which elementwise operations are computed inside the kernel of their consumer, and the WGSL that
 * computes such a chain. A chain ends in an elementwise operation or in a reduction.
 */
import { definitionOf } from '../ops/index.js';
import { type Operation, type Shape, sizeOf, type Tape } from '../tape.js';

/** Operations that cost no more to repeat than to load: inlined even into several or larger consumers. */
const repeatable = new Set(['broadcastTo', 'fill', 'scale', 'shift', 'stopGradient']);

const isElementwise = (operation: Operation): boolean =>
  operation.name !== 'input' && definitionOf(operation.name).elementwise !== undefined;

const canHoldChain = (operation: Operation): boolean =>
  operation.name !== 'input' && (isElementwise(operation) || definitionOf(operation.name).reduction === true);

/**
 * The operations that get no memory of their own.
 *
 * @param maximumOperands most tensors that one kernel may read
 */
export function chooseInlined(tape: Tape, maximumOperands: number): ReadonlySet<number> {
  const consumers = new Map<number, Operation[]>();
  for (const operation of tape.operations) {
    for (const input of new Set(operation.inputs)) {
      consumers.set(input, [...(consumers.get(input) ?? []), operation]);
    }
  }
  const outputs = new Set(Object.values(tape.outputs));
  const inlined = new Set<number>();
  for (const operation of tape.operations) {
    const users = consumers.get(operation.id) ?? [];
    if (!isElementwise(operation) || outputs.has(operation.id) || !users.every(canHoldChain)) continue;
    const size = sizeOf(operation.type.shape);
    const sameSize = users.every((user) => chainSize(tape, user) === size);
    if (
      repeatable.has(operation.name) ||
      (sameSize && users.length === 1) ||
      (sameSize && isUnaryStep(tape, operation))
    ) {
      inlined.add(operation.id);
    }
  }
  // Where a chain would read more tensors than a kernel can bind, it is cut below its end.
  const leaves = new Map<number, ReadonlySet<number>>();
  for (const operation of tape.operations) {
    if (!canHoldChain(operation)) continue;
    const gather = () =>
      new Set(operation.inputs.flatMap((input) => (inlined.has(input) ? [...leaves.get(input)!] : [input])));
    let reached = gather();
    if (reached.size > maximumOperands) {
      for (const input of operation.inputs) inlined.delete(input);
      reached = gather();
    }
    leaves.set(operation.id, reached);
  }
  return inlined;
}

/** Operations whose result is one of a few numbers. */
const steps = new Set([
  'equal',
  'greater',
  'greaterEqual',
  'isPositive',
  'less',
  'lessEqual',
  'notEqual',
  'sign',
]);

/** A comparison of one tensor, with a number at most: as cheap to repeat as to load. */
const isUnaryStep = (tape: Tape, operation: Operation): boolean =>
  steps.has(operation.name) &&
  operation.inputs.filter((input) => tape.operations[input]!.name !== 'fill').length <= 1;

/** Number of elements a chain that ends in this operation runs over. */
function chainSize(tape: Tape, operation: Operation): number {
  return sizeOf(chainShape(tape, operation));
}

/** The shape a chain that ends in this operation runs over: a reduction's operand, else its own. */
export function chainShape(tape: Tape, operation: Operation): Shape {
  return definitionOf(operation.name).reduction
    ? tape.operations[operation.inputs[0]!]!.type.shape
    : operation.type.shape;
}

/** WGSL of a chain: the value of its end, and the tensors that it reads, in the order in which they are bound. */
export interface Chain {
  readonly value: string;
  /** One `let` a value; `loadK` stands for reading the current element of operand K. */
  readonly statements: readonly string[];
  readonly operands: readonly number[];
}

/**
 * Writes the chain that ends in the tape line `root`.
 *
 * @param startsHere true where `root` itself is computed (an elementwise kernel's output), not read
 */
export function writeChain(
  tape: Tape,
  root: number,
  inlined: ReadonlySet<number>,
  startsHere: boolean,
): Chain {
  const operands: number[] = [];
  const names = new Map<number, string>();
  const statements: string[] = [];
  const name = (id: number, expression: string): string => {
    const variable = `v${id}`;
    statements.push(`let ${variable} = ${expression};`);
    names.set(id, variable);
    return variable;
  };
  const write = (id: number, isRoot: boolean): string => {
    const known = names.get(id);
    if (known !== undefined) return known;
    const operation = tape.operations[id]!;
    if (!isRoot && !inlined.has(id)) {
      const operand = operands.length;
      operands.push(id);
      return name(id, `load${operand}`);
    }
    const definition = definitionOf(operation.name);
    const parts = operation.inputs.map((input) => write(input, false));
    return name(id, definition.elementwise!(parts, operation.attributes));
  };
  const value = write(root, startsHere);
  return { value, statements, operands };
}

/**
 * How a tensor is walked when a kernel runs over `shape` seen as [rows, row]: the WGSL of its place for a given row,
 * and its step along the row. Axes that every operand treats alike are joined first, so that most chains see one or
 * two axes.
 */
export interface Walk {
  /** Extents of the joined axes, outermost first; the last one is the row. */
  readonly extents: readonly number[];
  /** Step of each operand along each joined axis, 0 where it is broadcast. */
  readonly strides: readonly (readonly number[])[];
}

export function planWalk(shape: Shape, operandShapes: readonly Shape[]): Walk {
  const strides = operandShapes.map((operand) => broadcastStrides(operand, shape));
  const extents: number[] = [];
  const joined: number[][] = operandShapes.map(() => []);
  shape.forEach((extent, axis) => {
    if (extent === 1) return;
    const last = extents.length - 1;
    const joins = last >= 0 && strides.every((stride, k) => joined[k]![last] === stride[axis]! * extent);
    if (joins) {
      extents[last]! *= extent;
      strides.forEach((stride, k) => {
        joined[k]![last] = stride[axis]!;
      });
    } else {
      extents.push(extent);
      strides.forEach((stride, k) => {
        joined[k]!.push(stride[axis]!);
      });
    }
  });
  if (extents.length === 0) {
    extents.push(1);
    for (const stride of joined) stride.push(0);
  }
  return { extents, strides: joined };
}

function broadcastStrides(operand: Shape, shape: Shape): number[] {
  const skipped = shape.length - operand.length;
  let stride = 1;
  const result = shape.map(() => 0);
  for (let axis = operand.length - 1; axis >= 0; axis--) {
    result[axis + skipped] = operand[axis] === 1 ? 0 : stride;
    stride *= operand[axis]!;
  }
  return result;
}

/** WGSL of `Σ_k coordinate_k · stride_k` for a flat number over the given axes (outermost first). */
export function placeExpression(
  flat: string,
  extents: readonly number[],
  strides: readonly number[],
): string {
  const terms: string[] = [];
  let below = 1;
  for (let axis = extents.length - 1; axis >= 0; axis--) {
    const extent = extents[axis]!;
    const stride = strides[axis]!;
    if (stride !== 0) {
      const divided = below === 1 ? flat : `(${flat} / ${below}u)`;
      const coordinate = axis === 0 ? divided : `(${divided} % ${extent}u)`;
      terms.push(stride === 1 ? coordinate : `${coordinate} * ${stride}u`);
    }
    below *= extent;
  }
  return terms.length === 0 ? '0u' : terms.join(' + ');
}

/** Binding declarations of a fused kernel. */
export function bindingsText(types: readonly string[]): string {
  return [...types, 'f32']
    .map((type, k) => {
      const name = k === types.length ? 'result' : `operand${k}`;
      return `@group(0) @binding(${k}) var<storage, read_write> ${name}: array<${type}>;`;
    })
    .join('\n');
}
