/**
 * Row groups: which operations are computed together, plane by plane, by one row program. A group's operations are local
 * to the planes (n, c) of tensors [N,C,…], and no path leaves the group and comes back.
 */
import type { RowRule } from '../operation.js';
import { definitionOf } from '../ops/index.js';
import { type Operation, sizeOf, type Tape } from '../tape.js';
import {
  domainOf,
  isSingle,
  joinGeometries,
  type PlaneGeometry,
  planeOf,
  planes,
  windowedPlanes,
} from './rowGeometry.js';
import type { TapeUse } from './tapeUse.js';

export interface RowGroup {
  readonly geometry: PlaneGeometry;
  /** Lines in the tape's order; what is inlined into them is not named. */
  readonly members: readonly number[];
}

export interface RowGroupLimits {
  readonly maximumBindings: number;
  /** Groups of at least so many planes are always formed. */
  readonly planes: number;
  /** Groups of fewer planes are formed only of tensors of at most so many elements. */
  readonly elements: number;
}

/** Its rule, if the operation is plane-local and not elementwise. */
export function rowRuleOf(tape: Tape, operation: Operation): RowRule | null {
  if (operation.name === 'input') return null;
  const { attributes, inputs, type } = operation;
  const inputTypes = inputs.map((input) => tape.operations[input]!.type);
  return definitionOf(operation.name).row?.({ attributes, inputTypes, type }) ?? null;
}

/** A sum over the images as well: the row program leaves a sum for each plane, which remain to be added. */
export const isSumOverImages = ({ attributes, inputs }: Operation, tape: Tape): boolean =>
  (attributes.axes as readonly number[] | undefined)?.includes(0) === true &&
  tape.operations[inputs[0]!]!.type.shape[0] !== 1;

/** The planes that an operation is local to, `null` if it is not. */
function geometryOf(tape: Tape, { inlined }: TapeUse, operation: Operation): PlaneGeometry | null {
  if (operation.name === 'input' || inlined.has(operation.id)) return null;
  const { elementwise } = definitionOf(operation.name);
  if (elementwise === undefined && rowRuleOf(tape, operation) === null) return null;
  const shapeOf = (line: number) => tape.operations[line]!.type.shape;
  const shapes = [operation.id, ...operation.inputs].map(shapeOf);
  const largest = shapes.reduce((most, shape) => (sizeOf(shape) > sizeOf(most) ? shape : most));
  const other = shapes.find(
    (shape) => shape.length > 2 && sizeOf(planeOf(shape)) !== sizeOf(planeOf(largest)),
  );
  const isWindowed = elementwise === undefined && other !== undefined;
  const geometry = isWindowed ? windowedPlanes(largest, other) : planes(largest);
  if (geometry === null) return null;
  const fits = (line: number): boolean =>
    domainOf(shapeOf(line), geometry) !== null &&
    (!inlined.has(line) || tape.operations[line]!.inputs.every(fits));
  const isOfAllPlanes = elementwise === undefined || sizeOf(shapes[0]!) === sizeOf(largest);
  return isOfAllPlanes && operation.inputs.every(fits) ? geometry : null;
}

interface GroupInProgress {
  geometry: PlaneGeometry | null;
  members: number[];
}

/** The groups of two operations or more. */
export function chooseRowGroups(tape: Tape, use: TapeUse, limits: RowGroupLimits): readonly RowGroup[] {
  const units = new Map<number, GroupInProgress>();
  for (const operation of tape.operations) {
    if (use.inlined.has(operation.id)) continue;
    const geometry = geometryOf(tape, use, operation);
    const isWorthwhile = geometry !== null && suits(geometry, limits);
    units.set(operation.id, { geometry: isWorthwhile ? geometry : null, members: [operation.id] });
  }

  /**
   * Whether `start` reads `target` also by way of a third group: joined, the two would have to run both before and after
   * it.
   */
  const isReachedAround = (start: GroupInProgress, target: GroupInProgress): boolean => {
    const seen = new Set<GroupInProgress>([start, target]);
    const open = [start];
    for (let unit = open.pop(); unit !== undefined; unit = open.pop()) {
      for (const member of unit.members) {
        for (const leaf of use.leaves.get(member)!) {
          const next = units.get(leaf)!;
          if (next === target && unit !== start) return true;
          if (seen.has(next)) continue;
          seen.add(next);
          open.push(next);
        }
      }
    }
    return false;
  };
  const join = (first: number, second: number): void => {
    const [a, b] = [units.get(first)!, units.get(second)!];
    if (a === b || a.geometry === null || b.geometry === null) return;
    const geometry = joinGeometries(a.geometry, b.geometry);
    if (geometry === null) return;
    const members = [...a.members, ...b.members].sort((x, y) => x - y);
    if (readsOwnTotals(tape, use, members)) return;
    if (bindingsOf(tape, use, members, (line) => units.get(line)!) > limits.maximumBindings) return;
    if (isReachedAround(a, b) || isReachedAround(b, a)) return;
    const joint: GroupInProgress = { geometry, members };
    for (const member of members) units.set(member, joint);
  };

  // First what sums over the same tensor, wherever it is needed: a mean and a variance are then computed once.
  const summing = tape.operations.filter((operation) => rowRuleOf(tape, operation) !== null);
  joinReaders(
    summing.map(({ id, inputs }) => [id, [inputs[0]!]]),
    join,
  );
  // Then producers and consumers, and last what reads the same tensor.
  for (const id of units.keys()) for (const leaf of use.leaves.get(id)!) join(leaf, id);
  const isLarge = (line: number): boolean => {
    const { shape } = tape.operations[line]!.type;
    return shape.length > 2 && planes(shape) !== null && sizeOf(planeOf(shape)) > 1;
  };
  joinReaders(
    [...units.keys()].map((id) => [id, [...use.leaves.get(id)!].filter(isLarge)]),
    join,
  );

  return [...new Set(units.values())].flatMap(({ geometry, members }) =>
    geometry !== null && members.length > 1 ? [{ geometry, members }] : [],
  );
}

/** Tries to join each operation with those that read one of the same tensors before it. */
function joinReaders(
  reads: readonly (readonly [id: number, tensors: readonly number[]])[],
  join: (first: number, second: number) => void,
): void {
  const readers = new Map<number, number[]>();
  for (const [id, tensors] of reads) {
    for (const tensor of tensors) {
      const earlier = readers.get(tensor) ?? [];
      for (const reader of earlier) join(reader, id);
      readers.set(tensor, [...earlier, id]);
    }
  }
}

function suits({ images, channels, fine }: PlaneGeometry, { planes, elements }: RowGroupLimits): boolean {
  return images * channels >= planes || images * channels * sizeOf(fine) <= elements;
}

/** The tensors that a group reads from outside. */
export function operandsOf(use: TapeUse, members: readonly number[]): number[] {
  const own = new Set(members);
  return [...new Set(members.flatMap((member) => [...use.leaves.get(member)!]))].filter((id) => !own.has(id));
}

/** The members whose values others need, or that are outputs. */
export function storedOf(use: TapeUse, members: readonly number[]): number[] {
  const own = new Set(members);
  return members.filter(
    (member) => use.outputs.has(member) || [...use.readers.get(member)!].some((reader) => !own.has(reader)),
  );
}

/** Whether an operation needs a sum over the images of which the group itself computes the planes' shares only. */
function readsOwnTotals(tape: Tape, use: TapeUse, members: readonly number[]): boolean {
  const own = new Set(members);
  return members.some(
    (member) =>
      isSumOverImages(tape.operations[member]!, tape) &&
      [...use.readers.get(member)!].some((reader) => own.has(reader)),
  );
}

/** Whether a member's value is one number a plane, which lies with the others of its group in one piece of memory. */
export const isRowResult = (tape: Tape, use: TapeUse, member: number): boolean => {
  const { type } = tape.operations[member]!;
  return isSingle(planeOf(type.shape)) && !use.outputs.has(member);
};

/**
 * The most bindings of a group's kernels: each piece of memory that is read, each value that is stored, one for all numbers
 * that belong to planes.
 *
 * @param producerOf tells apart what computes a tensor
 */
function bindingsOf(tape: Tape, use: TapeUse, members: readonly number[], producerOf: ProducerOf): number {
  const read = operandsOf(use, members).map((line) => {
    const isJoint = producerOf(line).members.length > 1 && isRowResult(tape, use, line);
    return isJoint && !isSumOverImages(tape.operations[line]!, tape)
      ? producerOf(line)
      : use.roots.get(line)!;
  });
  const stored = storedOf(use, members);
  const summed = stored.filter((member) => isSumOverImages(tape.operations[member]!, tape));
  const rows = stored.filter((member) => summed.includes(member) || isRowResult(tape, use, member));
  const bound = new Set(read).size + stored.length - rows.length + Math.min(rows.length, 1);
  return Math.max(bound, 1 + summed.length);
}

type ProducerOf = (line: number) => { readonly members: readonly number[] };
