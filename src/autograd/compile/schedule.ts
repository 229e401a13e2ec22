/** The order in which a tape's operations run on a device: what is inlined, what is grouped, and who is read until when. */
import type { Tape } from '../tape.js';
import { chooseInlined } from './fuse.js';
import type { Target } from './lower.js';
import { chooseRowGroups, type RowGroup } from './rowGroups.js';
import { type TapeUse, tapeUse } from './tapeUse.js';

/** What runs at one time: a line of the tape, or a row group. */
export type ScheduledUnit = { readonly line: number } | { readonly group: RowGroup };

export interface Schedule {
  readonly use: TapeUse;
  readonly units: readonly ScheduledUnit[];
  /** When each line runs: the place of its unit. */
  readonly times: ReadonlyMap<number, number>;
  /** When each line's value is read for the last time; an output's is never over. */
  readonly lastUse: ReadonlyMap<number, number>;
}

export function scheduleTape(tape: Tape, target: Target): Schedule {
  const { rowProgram } = target.tuning;
  const maximumBindings = Math.min(target.maximumBindings, rowProgram?.bindings ?? Number.POSITIVE_INFINITY);
  const use = tapeUse(tape, chooseInlined(tape, maximumBindings - 1), target.alignment);
  const groups = rowProgram === null ? [] : chooseRowGroups(tape, use, { ...rowProgram, maximumBindings });
  const units = orderUnits(tape, use, groups);
  const times = new Map<number, number>();
  units.forEach((unit, time) => {
    for (const line of membersOf(unit)) times.set(line, time);
  });
  const lastUse = new Map<number, number>();
  for (const [id, readers] of use.readers) {
    const last = Math.max(...[...readers].map((reader) => times.get(reader)!));
    if (use.outputs.has(id)) lastUse.set(id, Number.POSITIVE_INFINITY);
    else if (readers.size > 0) lastUse.set(id, last);
  }
  return { use, units, times, lastUse };
}

const membersOf = (unit: ScheduledUnit): readonly number[] =>
  'line' in unit ? [unit.line] : unit.group.members;

/** The tape's order, with each group at the first place where all that it reads is there. */
function orderUnits(tape: Tape, use: TapeUse, groups: readonly RowGroup[]): ScheduledUnit[] {
  const groupOf = new Map<number, ScheduledUnit>();
  for (const group of groups) {
    const unit = { group };
    for (const member of group.members) groupOf.set(member, unit);
  }
  const done = new Set<number>();
  const order: ScheduledUnit[] = [];
  const place = (unit: ScheduledUnit): void => {
    const members = membersOf(unit);
    for (const member of members) done.add(member);
    for (const member of members)
      for (const leaf of use.leaves.get(member)!) if (!done.has(leaf)) place(unitOf(leaf));
    order.push(unit);
  };
  const unitOf = (line: number): ScheduledUnit => groupOf.get(line) ?? { line };
  for (const { id } of tape.operations) if (!use.inlined.has(id) && !done.has(id)) place(unitOf(id));
  return order;
}
