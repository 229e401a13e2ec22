/** Who reads whom on a tape, seen through the operations that are inlined. */
import { definitionOf } from '../ops/index.js';
import type { Tape } from '../tape.js';
import { BYTES } from './bufferRange.js';

export interface TapeUse {
  readonly inlined: ReadonlySet<number>;
  readonly outputs: ReadonlySet<number>;
  /** The tensors in memory that each line's computation reads. */
  readonly leaves: ReadonlyMap<number, ReadonlySet<number>>;
  /** The lines that read each line's tensor; those that are inlined stand for their own readers. */
  readonly readers: ReadonlyMap<number, ReadonlySet<number>>;
  /** The line in whose memory each line's tensor lies: its own, unless it is a view. */
  readonly roots: ReadonlyMap<number, number>;
}

/**
 * @param alignment bytes; a view that starts between its multiples is a copy
 */
export function tapeUse(tape: Tape, inlined: ReadonlySet<number>, alignment: number): TapeUse {
  const leaves = new Map<number, ReadonlySet<number>>();
  const readers = new Map<number, Set<number>>();
  for (const { id, inputs } of tape.operations) {
    const read = inputs.flatMap((input) => (inlined.has(input) ? [...leaves.get(input)!] : [input]));
    leaves.set(id, new Set(read));
    readers.set(id, new Set());
    if (!inlined.has(id)) for (const leaf of read) readers.get(leaf)!.add(id);
  }
  return {
    inlined,
    outputs: new Set(Object.values(tape.outputs)),
    leaves,
    readers,
    roots: rootsOf(tape, alignment),
  };
}

function rootsOf(tape: Tape, alignment: number): Map<number, number> {
  const roots = new Map<number, number>();
  const starts = new Map<number, number>();
  for (const { id, name, attributes, inputs } of tape.operations) {
    const view = name === 'input' ? undefined : definitionOf(name).view;
    const start = view === undefined ? 0 : starts.get(inputs[0]!)! + view(attributes) * BYTES;
    const isView = view !== undefined && start % alignment === 0;
    roots.set(id, isView ? roots.get(inputs[0]!)! : id);
    starts.set(id, isView ? start : 0);
  }
  return roots;
}
