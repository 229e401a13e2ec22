/**
 * Fusion: which elementwise operations are computed inside the kernel of their consumer, and the WGSL that
 * computes such a chain. A chain ends in an elementwise operation or in a reduction.
 */
import { storageBinding } from '../../kernels/bindings.js';
import { definitionOf, isElementwise } from '../ops/index.js';
import { type Operation, rowMajorStrides, type Shape, sizeOf, type Tape } from '../tape.js';
import { joinAxes, type Walk } from '../walk.js';

/** Operations that cost no more to repeat than to load: inlined even into several or larger consumers. */
const repeatable = new Set(['broadcastTo', 'fill', 'scale', 'shift', 'stopGradient']);

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
  const largeOperands = new Map<number, ReadonlySet<number>>();
  for (const operation of tape.operations) {
    largeOperands.set(operation.id, largeOperandsOf(tape, operation, inlined, largeOperands));
    const users = consumers.get(operation.id) ?? [];
    if (!isElementwise(operation) || outputs.has(operation.id) || !users.every(canHoldChain)) continue;
    const size = sizeOf(operation.type.shape);
    const sameSize = users.every((user) => chainSize(tape, user) === size);
    if (
      repeatable.has(operation.name) ||
      (sameSize && users.length === 1) ||
      (sameSize && isCheap(operation) && largeOperands.get(operation.id)!.size <= 1)
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

/**
 * The tensors of an operation's own size that a chain ending in it reads. Where it is one at most, repeating the chain
 * loads no more than its result would; what is smaller is read once a row.
 */
function largeOperandsOf(
  tape: Tape,
  operation: Operation,
  inlined: ReadonlySet<number>,
  known: ReadonlyMap<number, ReadonlySet<number>>,
): ReadonlySet<number> {
  const size = sizeOf(operation.type.shape);
  const found = operation.inputs.flatMap((input) => {
    if (inlined.has(input)) return [...known.get(input)!];
    return sizeOf(tape.operations[input]!.type.shape) === size ? [input] : [];
  });
  return new Set(found);
}

/** Operations that take about as long as a load, or less. */
const cheap = new Set([
  'abs',
  'add',
  'equal',
  'greater',
  'greaterEqual',
  'isPositive',
  'less',
  'lessEqual',
  'mul',
  'neg',
  'notEqual',
  'relu',
  'sign',
  'sub',
  'where',
]);

const isCheap = ({ name }: Operation): boolean => cheap.has(name) || repeatable.has(name);

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

/** What a kernel that ends in the last of these lines computes besides: the other lines, and what is inlined into them. */
export function fusedInto(tape: Tape, inlined: ReadonlySet<number>, lines: readonly number[]): number[] {
  const found = new Set(lines.slice(0, -1));
  const visit = (id: number): void => {
    for (const input of tape.operations[id]!.inputs) {
      if (!inlined.has(input) || found.has(input)) continue;
      found.add(input);
      visit(input);
    }
  };
  for (const line of lines) visit(line);
  return [...found].sort((a, b) => a - b);
}

/** WGSL of a chain: the value of its end, and the tensors that it reads, in the order in which they are bound. */
export interface Chain {
  readonly value: string;
  /** One `let` a value; `loadK` stands for reading the current element of operand K. */
  readonly statements: readonly string[];
  readonly operands: readonly number[];
  /** Operations that calculate something, an element. */
  readonly operations: number;
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
  let operations = 0;
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
    const expression = definition.elementwise!(parts, operation.attributes);
    // Broadcasting and the like hand an operand on as it is; a constant has none.
    if (parts.length > 0 && expression !== parts[0]) operations++;
    return name(id, expression);
  };
  const value = write(root, startsHere);
  return { value, statements, operands, operations };
}

/**
 * How operands that broadcast to `shape` are walked by a kernel that runs over it. Most chains see one or two joined
 * axes.
 */
export const planWalk = (shape: Shape, operandShapes: readonly Shape[]): Walk =>
  joinAxes(
    shape,
    operandShapes.map((operand) => broadcastStrides(operand, shape)),
  );

function broadcastStrides(operand: Shape, shape: Shape): number[] {
  const strides = rowMajorStrides(operand).map((stride, axis) => (operand[axis] === 1 ? 0 : stride));
  return [...shape.slice(operand.length).map(() => 0), ...strides];
}

/** Binding declarations of a fused kernel. */
export function bindingsText(types: readonly string[]): string {
  return [...types, 'f32']
    .map((type, k) => storageBinding(k, k === types.length ? 'result' : `operand${k}`, type))
    .join('\n');
}
