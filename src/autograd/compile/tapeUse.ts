/** Who reads whom on a tape, seen through the operations that are inlined. */
import type { Tape } from '../tape.js';

export interface TapeUse {
  readonly inlined: ReadonlySet<number>;
  readonly outputs: ReadonlySet<number>;
  /** The tensors in memory that each line's computation reads. */
  readonly leaves: ReadonlyMap<number, ReadonlySet<number>>;
  /** The lines that read each line's tensor; those that are inlined stand for their own readers. */
  readonly readers: ReadonlyMap<number, ReadonlySet<number>>;
}

export function tapeUse(tape: Tape, inlined: ReadonlySet<number>): TapeUse {
  const leaves = new Map<number, ReadonlySet<number>>();
  const readers = new Map<number, Set<number>>();
  for (const { id, inputs } of tape.operations) {
    const read = inputs.flatMap((input) => (inlined.has(input) ? [...leaves.get(input)!] : [input]));
    leaves.set(id, new Set(read));
    readers.set(id, new Set());
    if (!inlined.has(id)) for (const leaf of read) readers.get(leaf)!.add(id);
  }
  return { inlined, outputs: new Set(Object.values(tape.outputs)), leaves, readers };
}
