/**
 * Splitting a tape in two: an early part that can run before some of the inputs are known, and a late part that goes on
 * from what the early part saved. The reverse sweep of a step from saved intermediates is the late part of its tape.
 */
import { definitionOf, isElementwise } from './ops/index.js';
import { inputNamesOf, type Operation, type Tape } from './tape.js';
import { replay, selectOutputs } from './tapeTransforms.js';
import { Recorder, type Tensor } from './trace.js';

export interface SplitTape {
  /** Outputs of the original that need no late input, and `saved0`, `saved1`, …, which the late part reads. */
  readonly early: Tape;
  /** The other outputs; inputs are the late ones, the early ones that it reads itself, and `saved0`, `saved1`, …. */
  readonly late: Tape;
  readonly saved: readonly string[];
}

/**
 * @param lateInputs names of the inputs that only the late part may read
 * @param outputs names of the outputs that are wanted, all by default
 */
export function splitTape(
  tape: Tape,
  lateInputs: readonly string[],
  outputs: readonly string[] = Object.keys(tape.outputs),
): SplitTape {
  const part = selectOutputs(tape, outputs);
  const { operations } = part;
  const isLate = new Set<number>();
  for (const name of lateInputs) if (Object.hasOwn(part.inputs, name)) isLate.add(part.inputs[name]!);
  for (const { id, inputs } of operations) if (inputs.some((input) => isLate.has(input))) isLate.add(id);
  const isOutputOf = (late: boolean) =>
    Object.entries(part.outputs).filter(([, id]) => isLate.has(id) === late);

  const saved = chooseSaved(operations, isLate);
  const names = saved.map((_, k) => `saved${k}`);

  const early = replay(part, (id) => !isLate.has(id));
  const earlyOutputs = [...isOutputOf(false), ...saved.map((id, k) => [names[k]!, id] as const)];
  const earlyTape = early.recorder.finish(
    Object.fromEntries(earlyOutputs.map(([name, id]) => [name, early.tensors.get(id)!])),
  );

  const recorder = new Recorder();
  const inputNames = inputNamesOf(part);
  const tensors = new Map<number, Tensor>();
  const tensorOf = (id: number): Tensor => {
    const known = tensors.get(id);
    if (known !== undefined) return known;
    const { name, attributes, inputs, type, origin = {} } = operations[id]!;
    const place = saved.indexOf(id);
    const operands = name === 'input' || place >= 0 ? [] : inputs.map(tensorOf);
    const tensor = recorder.withOrigin(origin, () => {
      if (name === 'input') return recorder.input(inputNames.get(id)!, type);
      if (place >= 0) return recorder.input(names[place]!, type);
      return recorder.record(name, attributes, operands, type);
    });
    tensors.set(id, tensor);
    return tensor;
  };
  for (const id of isLate) tensorOf(id);
  const lateTape = recorder.finish(
    Object.fromEntries(isOutputOf(true).map(([name, id]) => [name, tensorOf(id)])),
  );
  const pruned = (whole: Tape): Tape => selectOutputs(whole, Object.keys(whole.outputs));
  return { early: pruned(earlyTape), late: pruned(lateTape), saved: names };
}

/** Early values that the late part reads and that are worth keeping; the rest it computes again from these. */
function chooseSaved(operations: readonly Operation[], isLate: ReadonlySet<number>): number[] {
  const needed = new Set<number>();
  for (const { id, inputs } of operations) {
    if (isLate.has(id)) for (const input of inputs) if (!isLate.has(input)) needed.add(input);
  }
  const saved = new Set<number>();
  const visited = new Set<number>();
  const save = (id: number): void => {
    if (visited.has(id)) return;
    visited.add(id);
    const operation = operations[id]!;
    if (isFree(operation, operations)) for (const input of operation.inputs) save(input);
    else if (operation.name !== 'input' && !isElementwise(operation)) saved.add(id);
  };
  for (const id of needed) save(id);

  // What is elementwise costs nothing where all that it is made of is there.
  const there = new Set<number>();
  const isThere = (id: number): boolean => {
    if (there.has(id) || saved.has(id)) return true;
    const operation = operations[id]!;
    const canRepeat = operation.name === 'input' || isElementwise(operation) || isFree(operation, operations);
    if (!canRepeat || !operation.inputs.every(isThere)) return false;
    there.add(id);
    return true;
  };
  for (const id of [...needed].sort((a, b) => a - b)) if (!isThere(id)) saved.add(id);
  return [...saved].sort((a, b) => a - b);
}

/** Views, constants, repetitions, and rows of an input: kept as what they are made of. */
function isFree({ name, inputs }: Operation, operations: readonly Operation[]): boolean {
  if (name === 'input') return false;
  if (inputs.length === 0 || name === 'broadcastTo' || definitionOf(name).view !== undefined) return true;
  return name === 'gather' && inputs.every((input) => operations[input]!.name === 'input');
}
