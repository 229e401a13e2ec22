/** Counts of what a run was made to survive. `npm run test:faults` sums and prints them. */
import type { TestContext } from 'vitest';

/** Sorts of faults, in the order in which they are printed. */
export const faultGroups = [
  'kills',
  'power cuts',
  'write faults',
  'device losses',
  'locks',
  'cluster kills',
] as const;
/** A sort of faults. */
export type FaultGroup = (typeof faultGroups)[number];
/** How often by what was hit, such as a stage's name. */
export type FaultCounts = Readonly<Record<string, number>>;

declare module 'vitest' {
  interface TaskMeta {
    faults?: Partial<Record<FaultGroup, FaultCounts>>;
  }
}

/** The sum of two counts, name by name. */
export function addCounts(a: FaultCounts, b: FaultCounts): FaultCounts {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return Object.fromEntries([...names].map((name) => [name, (a[name] ?? 0) + (b[name] ?? 0)]));
}

/** All of them together. */
export const totalOf = (counts: FaultCounts): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

/** Adds to what a test has counted so far. Call it after what was counted has been survived. */
export function countFaults(
  { task }: Pick<TestContext, 'task'>,
  group: FaultGroup,
  counts: FaultCounts,
): void {
  const before = task.meta.faults ?? {};
  task.meta.faults = { ...before, [group]: addCounts(before[group] ?? {}, counts) };
}

/** One line: `kills: 216 (teacher 24, targets 24, …)`. */
export function describeCounts(group: FaultGroup, counts: FaultCounts): string {
  const parts = Object.entries(counts).map(([name, count]) => `${name} ${count}`);
  return `${group}: ${totalOf(counts)} (${parts.join(', ')})`;
}
