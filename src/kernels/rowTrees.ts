/** Sums and statistics of rows by a workgroup each: how many invocations a row is worth, and into how many slices it goes. */
import type { WorkgroupLimits } from './tiles.js';

/** When a workgroup takes a row, and how large it is. All sizes of workgroups are powers of two. */
export interface RowTree {
  /** Least length of a row for which a workgroup is worth it. */
  readonly shortestRow: number;
  /** Elements that each invocation should have at least before the workgroup is made larger. */
  readonly perInvocation: number;
  /** Fewest elements of a slice of a row that several workgroups share, which costs a second launch. */
  readonly slice: number;
  readonly smallest: number;
  readonly largest: number;
}

/** The tree with no more invocations than the device allows. */
export function fitRowTree(tree: RowTree | null, limits: WorkgroupLimits): RowTree | null {
  const most = powerOfTwoUpTo(limits.maxComputeInvocationsPerWorkgroup);
  if (tree === null || most < tree.smallest) return null;
  return { ...tree, largest: Math.min(tree.largest, most) };
}

/** Invocations of the workgroup that takes a row of so many elements; null where one invocation takes it better. */
export function rowWorkgroup(length: number, tree: RowTree | null): number | null {
  if (tree === null || length < tree.shortestRow) return null;
  const wanted = powerOfTwoUpTo(length / tree.perInvocation);
  return Math.min(tree.largest, Math.max(tree.smallest, wanted));
}

/** What rowTree.wgsl is specialised with: a subgroup's lanes put the last numbers together where there are as many. */
export function treeDefinitions(
  WORKGROUP: number,
  subgroupLanes: number,
): { readonly WORKGROUP: number; readonly LANES: number; readonly LANE: string } {
  const isUsed =
    subgroupLanes > 1 && subgroupLanes <= WORKGROUP && Number.isInteger(Math.log2(subgroupLanes));
  return { WORKGROUP, LANES: isUsed ? subgroupLanes : 1, LANE: isUsed ? 'lane' : '0u' };
}

/** How to split the sum of each of `rows` rows over several workgroups, so that the device has `parallelism` invocations. */
export function splitRow(
  length: number,
  rows: number,
  workgroup: number,
  { slice }: RowTree,
  parallelism: number,
): { slices: number; perSlice: number } {
  const wanted = Math.max(1, Math.ceil(parallelism / (rows * workgroup)));
  const perSlice = Math.max(Math.ceil(length / wanted), Math.min(slice, length));
  return { slices: Math.ceil(length / perSlice), perSlice };
}

const powerOfTwoUpTo = (limit: number): number => 2 ** Math.floor(Math.log2(Math.max(1, limit)));
