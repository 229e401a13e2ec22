/**
 * What there is to measure: the distinct launches of some tapes, each cut out as a tape of its own. A unit is an operation
 * with all that is computed inside its kernel, so that it alone gives the kernels that the whole tape does. Row programs are left
 * out: they have no block sizes to choose.
 */
import type { KernelName } from '../../kernels/catalogue.js';
import { lowerTape, type Target } from '../compile/lower.js';
import { scheduleTape } from '../compile/schedule.js';
import { definitionOf } from '../ops/index.js';
import type { Operation, Tape } from '../tape.js';

/** A tape, and how often it runs. */
export interface WeightedTape {
  /** What it is, for people. */
  readonly name: string;
  /** The tape. */
  readonly tape: Tape;
  /** Replays of it in the work that is tuned for. */
  readonly runs: number;
}

/** One kind of launch. */
export interface TuningUnit {
  /** Inputs `operand0`, `operand1`, …; the output `result`. */
  readonly tape: Tape;
  /** Name of the operation at its end. */
  readonly operation: string;
  /** Launches of it in the work that is tuned for. */
  readonly runs: number;
  /** Kernels that it launches with the table of the device's class. */
  readonly kernels: ReadonlySet<KernelName>;
}

/** The tape of one operation and of what is inlined into it. Where its lines came from is left out. */
export function cutUnit(tape: Tape, id: number, inlined: ReadonlySet<number>): Tape {
  const members = new Set([id]);
  const leaves = new Set<number>();
  for (const member of members) {
    for (const input of tape.operations[member]!.inputs) (inlined.has(input) ? members : leaves).add(input);
  }
  const places = new Map<number, number>();
  const operations: Operation[] = [];
  const append = (line: number, content: Omit<Operation, 'id'>): void => {
    places.set(line, operations.length);
    operations.push({ id: operations.length, ...content });
  };
  for (const leaf of leaves) {
    append(leaf, { name: 'input', attributes: {}, inputs: [], type: tape.operations[leaf]!.type });
  }
  const inputs = Object.fromEntries([...leaves].map((_, k) => [`operand${k}`, k]));
  for (const member of [...members].sort((a, b) => a - b)) {
    const { name, attributes, inputs: operands, type } = tape.operations[member]!;
    append(member, { name, attributes, inputs: operands.map((operand) => places.get(operand)!), type });
  }
  return { operations, inputs, outputs: { result: places.get(id)! } };
}

/** The distinct units of some tapes, in the order in which they are met. */
export function unitsOf(tapes: readonly WeightedTape[], target: Target): TuningUnit[] {
  const found = new Map<string, { tape: Tape; operation: string; runs: number }>();
  for (const { tape, runs } of tapes) {
    const { units, use } = scheduleTape(tape, target);
    for (const planned of units) {
      if (!('line' in planned)) continue;
      const { id, name } = tape.operations[planned.line]!;
      if (name === 'input' || definitionOf(name).view !== undefined) continue;
      const unit = cutUnit(tape, id, use.inlined);
      const key = JSON.stringify(unit);
      const known = found.get(key);
      if (known === undefined) found.set(key, { tape: unit, operation: name, runs });
      else known.runs += runs;
    }
  }
  return [...found.values()].map((unit) => ({
    ...unit,
    kernels: new Set(lowerTape(unit.tape, target).dispatches.map(({ kernel }) => kernel)),
  }));
}

/** All that is launched, as text: where two block sizes give the same, one measurement serves both. */
export function launchKey(tape: Tape, target: Target): string {
  const { dispatches } = lowerTape(tape, target);
  return JSON.stringify(dispatches.map(({ code, workgroups }) => [code, workgroups]));
}
