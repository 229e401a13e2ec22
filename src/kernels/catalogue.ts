/**
 * Every kernel of the engine, and the block sizes that suit each class of device. Operations choose a kernel
 * and give its definitions; numbers that only tune the launch live here and nowhere else.
 */
import alongAxis from './alongAxis.wgsl?raw';
import augment from './augment.wgsl?raw';
import avgPool from './avgPool.wgsl?raw';
import barlowTwins from './barlowTwins.wgsl?raw';
import blur from './blur.wgsl?raw';
import channelSums from './channelSums.wgsl?raw';
import conv2d from './conv2d.wgsl?raw';
import conv2dInputGrad from './conv2dInputGrad.wgsl?raw';
import conv2dTiled from './conv2dTiled.wgsl?raw';
import conv2dWeightGrad from './conv2dWeightGrad.wgsl?raw';
import conv2dWeightGradTiled from './conv2dWeightGradTiled.wgsl?raw';
import copy from './copy.wgsl?raw';
import crossCorrelation from './crossCorrelation.wgsl?raw';
import elementwise from './elementwise.wgsl?raw';
import fill from './fill.wgsl?raw';
import functions from './functions.wgsl?raw';
import gather from './gather.wgsl?raw';
import halves from './halves.wgsl?raw';
import instanceNorm from './instanceNorm.wgsl?raw';
import instanceNormTree from './instanceNormTree.wgsl?raw';
import matmul from './matmul.wgsl?raw';
import matmulTiled from './matmulTiled.wgsl?raw';
import maxPool from './maxPool.wgsl?raw';
import mse from './mse.wgsl?raw';
import multiplyAdd from './multiplyAdd.wgsl?raw';
import oneHot from './oneHot.wgsl?raw';
import pack from './pack.wgsl?raw';
import philox from './philox.wgsl?raw';
import prelude from './prelude.wgsl?raw';
import random from './random.wgsl?raw';
import rearrange from './rearrange.wgsl?raw';
import reduce from './reduce.wgsl?raw';
import reduceTree from './reduceTree.wgsl?raw';
import rowProgram from './rowProgram.wgsl?raw';
import rowTree from './rowTree.wgsl?raw';
import { fitRowTree, type RowTree, rowWorkgroup, splitRow } from './rowTrees.js';
import streamCopy from './streamCopy.wgsl?raw';
import { type Definitions, expandKernel } from './template.js';
import tileProduct from './tileProduct.wgsl?raw';
import { fitTiling, type Tiling, type WorkgroupLimits } from './tiles.js';
import warpAdjoint from './warpAdjoint.wgsl?raw';
import windows from './windows.wgsl?raw';

const sources = {
  alongAxis,
  augment: `${philox}\n${augment}`,
  avgPool,
  barlowTwins,
  blur,
  channelSums,
  conv2d,
  conv2dInputGrad,
  conv2dTiled: `${conv2dTiled}\n${windows}\n${tileProduct}`,
  conv2dWeightGrad,
  conv2dWeightGradTiled: `${conv2dWeightGradTiled}\n${windows}\n${tileProduct}`,
  copy,
  crossCorrelation,
  elementwise: `${functions}\n${elementwise}`,
  fill,
  gather,
  halves,
  instanceNorm,
  instanceNormTree: `${rowTree}\n${instanceNormTree}`,
  matmul,
  matmulTiled: `${matmulTiled}\n${tileProduct}`,
  maxPool,
  mse,
  multiplyAdd,
  oneHot,
  pack,
  reduce: `${functions}\n${reduce}`,
  reduceTree: `${functions}\n${rowTree}\n${reduceTree}`,
  random: `${philox}\n${random}`,
  rearrange,
  rowProgram: `${functions}\n${rowProgram}`,
  streamCopy,
  warpAdjoint,
} as const;

/** Name of a kernel: its .wgsl file, without the ending. */
export type KernelName = keyof typeof sources;
export const kernelNames = Object.keys(sources) as KernelName[];

/**
 * Which table of block sizes fits. Software devices have registers without workgroup memory: of four lanes with a plain
 * compiler (SwiftShader), or wide ones with an optimising one (llvmpipe). Hardware has many narrow invocations.
 */
export type DeviceClass = 'software' | 'wideSoftware' | 'hardware';

/** Block sizes of one device class. */
export interface Tuning {
  /** Invocations in a workgroup, by kernel. */
  readonly workgroup: Readonly<Record<KernelName, number>>;
  /** Most output channels, rows, pixels of a row and sums that a convolution holds in registers; most products written out. */
  readonly conv2d: Readonly<Record<'outputs' | 'rows' | 'pixels' | 'sums' | 'terms', number>>;
  /** The same for a convolution's weight gradient, whose rows and pixels are those of a turn. */
  readonly conv2dWeightGrad: Readonly<Record<'outputs' | 'rows' | 'pixels' | 'sums' | 'terms', number>>;
  /** Most lanes of a subgroup that tell each other what they loaded; 1 where each loads for itself. */
  readonly sharingLanes: number;
  /** Rough times of what a kernel does for a lane, of which ratios alone matter: a convolution's block is chosen by them. */
  readonly costs: Readonly<Record<'load' | 'store' | 'broadcast' | 'term' | 'sum' | 'launch', number>>;
  /** Most window elements that a pooling kernel writes out, for all the windows of one turn. */
  readonly poolTerms: number;
  /** Rows × columns of a cross-correlation held in registers: the first that leaves enough invocations, else the last. */
  readonly crossCorrelation: readonly { readonly rows: number; readonly columns: number }[];
  /**
   * Most rows, columns and sums of a matrix product that an invocation holds in registers; most neighbours along the sum
   * and products written out; fewest turns that a slice of the sum is worth.
   */
  readonly matmulBlock: Readonly<
    Record<'rows' | 'columns' | 'sums' | 'steps' | 'terms' | 'shortestSlice', number>
  >;
  /** Products on tiles in workgroup memory; null where that is slow. */
  readonly tiling: Tiling | null;
  /** Rows that a workgroup reduces together; null where that is slow. */
  readonly rowTree: RowTree | null;
  /** Neighbours that one invocation of an elementwise kernel computes, written out one by one. */
  readonly elementwiseItems: number;
  /** Neighbours that one invocation of a copying kernel moves in a loop. */
  readonly copyItems: number;
  /** Elements that one turn of a loop over a row takes. */
  readonly unroll: number;
  /**
   * Whether operations that are local to the planes of [N,C,…] are computed together, one plane an invocation: elements
   * that one turn of a loop takes, operations that take as long as a load, and the fewest planes; tensors of fewer are
   * grouped if they have at most so many elements. A fused kernel binds at most so many pieces of memory, even where the device
   * allows more: the order of sums depends on what is grouped, and is the same in a browser, which allows fewer.
   */
  readonly rowProgram: Readonly<
    Record<'unroll' | 'loadCost' | 'planes' | 'elements' | 'bindings', number>
  > | null;
  /** Invocations that a reduction or split sum should offer the device at least. */
  readonly parallelism: number;
  /** What the device's peaks are measured with: sums that one invocation holds in registers, and bytes that are copied. */
  readonly peaks: { readonly chains: number; readonly bytes: number };
}

const everyKernel = (size: number): Record<KernelName, number> =>
  Object.fromEntries(kernelNames.map((name) => [name, size])) as Record<KernelName, number>;

// A workgroup is a unit of work for one core: small ones share the cores evenly.
const software: Tuning = {
  workgroup: { ...everyKernel(16), elementwise: 32, conv2d: 8, conv2dInputGrad: 8, conv2dWeightGrad: 8 },
  conv2d: { outputs: 8, rows: 2, pixels: 16, sums: 128, terms: 1152 },
  conv2dWeightGrad: { outputs: 8, rows: 4, pixels: 4, sums: 96, terms: 1152 },
  sharingLanes: 16,
  // Nanoseconds on SwiftShader, whose every load and store goes lane by lane.
  costs: { load: 10, store: 12, broadcast: 1, term: 1.1, sum: 2, launch: 200_000 },
  poolTerms: 256,
  crossCorrelation: [
    { rows: 12, columns: 12 },
    { rows: 8, columns: 8 },
  ],
  matmulBlock: { rows: 16, columns: 8, sums: 128, steps: 4, terms: 512, shortestSlice: 8 },
  tiling: null,
  rowTree: null,
  elementwiseItems: 8,
  copyItems: 16,
  unroll: 8,
  rowProgram: { unroll: 8, loadCost: 10, planes: 32, elements: 2 ** 14, bindings: 10 },
  parallelism: 128,
  peaks: { chains: 8, bytes: 2 ** 25 },
};

const tunings: Readonly<Record<DeviceClass, Tuning>> = {
  software,
  wideSoftware: {
    ...software,
    matmulBlock: { rows: 24, columns: 4, sums: 96, steps: 4, terms: 512, shortestSlice: 8 },
    // Nanoseconds on llvmpipe with eight lanes.
    costs: { load: 6, store: 6, broadcast: 0.5, term: 0.4, sum: 0.5, launch: 100_000 },
  },
  hardware: {
    workgroup: everyKernel(64),
    conv2d: { outputs: 8, rows: 1, pixels: 4, sums: 32, terms: 512 },
    conv2dWeightGrad: { outputs: 4, rows: 1, pixels: 4, sums: 36, terms: 512 },
    sharingLanes: 1,
    costs: { load: 4, store: 4, broadcast: 1, term: 1, sum: 0, launch: 100_000 },
    poolTerms: 256,
    crossCorrelation: [{ rows: 4, columns: 4 }],
    matmulBlock: { rows: 4, columns: 4, sums: 16, steps: 1, terms: 16, shortestSlice: 32 },
    tiling: {
      tiles: [
        { rows: 128, columns: 64, inner: 16, blockRows: 8, blockColumns: 4 },
        { rows: 64, columns: 128, inner: 16, blockRows: 8, blockColumns: 4 },
        { rows: 64, columns: 64, inner: 16, blockRows: 8, blockColumns: 4 },
        { rows: 32, columns: 64, inner: 16, blockRows: 4, blockColumns: 4 },
        { rows: 32, columns: 32, inner: 16, blockRows: 4, blockColumns: 4 },
      ],
      workgroups: 256,
      fill: 0.3,
      fillOfBest: 0.75,
      products: 2 ** 18,
      slice: 256,
    },
    rowTree: { shortestRow: 64, perInvocation: 4, slice: 2048, smallest: 64, largest: 256 },
    elementwiseItems: 1,
    copyItems: 1,
    unroll: 4,
    rowProgram: null,
    parallelism: 16384,
    peaks: { chains: 32, bytes: 2 ** 27 },
  },
};

export function tuningFor(device: DeviceClass): Tuning {
  return tunings[device];
}

/** The tuning without what a device's workgroups cannot hold. */
export function fitTuning(tuning: Tuning, limits: WorkgroupLimits): Tuning {
  return {
    ...tuning,
    tiling: fitTiling(tuning.tiling, limits),
    rowTree: fitRowTree(tuning.rowTree, limits),
  };
}

/** The finished WGSL of a kernel: prelude and file, specialised. One whose LANES are more than 1 uses subgroups. */
export function kernelCode(name: KernelName, definitions: Definitions): string {
  const code = expandKernel(`${prelude}\n${sources[name]}`, definitions);
  // Loops that a whole workgroup walks alike are beyond the compiler's own proof of it.
  return Number(definitions.LANES ?? 1) > 1
    ? `enable subgroups;\ndiagnostic(off, subgroup_uniformity);\n${code}`
    : code;
}

/** The least multiple of `unit` that holds so many. */
export const wholeMultiple = (count: number, unit: number): number => Math.ceil(count / unit) * unit;

/**
 * Divides `extent` into pieces of at most `limit` elements, as even as they come.
 *
 * @returns the length of a piece; the last one may be shorter.
 */
export function evenPieces(extent: number, limit: number): number {
  return Math.ceil(extent / Math.ceil(extent / limit));
}

/** The greatest divisor of `extent` up to `limit`: how many turns of a loop may be written out without a rest. */
export function unrollFactor(extent: number, limit: number): number {
  for (let factor = Math.min(extent, limit); factor > 1; factor--) if (extent % factor === 0) return factor;
  return 1;
}

/** A length of pieces up to `limit` that divides `extent`, unless that would make them less than half as long. */
export function pieceLength(extent: number, limit: number): number {
  const divisor = unrollFactor(extent, limit);
  return 2 * divisor > Math.min(limit, extent) ? divisor : evenPieces(extent, limit);
}

/**
 * How to split a sum of `length` terms, computed `outputs` times side by side, so that the device is busy.
 *
 * @param shortestSlice below so many terms a slice costs more to start than it saves
 */
export function splitSum(
  length: number,
  outputs: number,
  tuning: Tuning,
  shortestSlice = 32,
): { slices: number; perSlice: number } {
  const wanted = Math.max(1, Math.ceil(tuning.parallelism / outputs));
  const perSlice = Math.max(Math.ceil(length / wanted), Math.min(shortestSlice, length));
  return { slices: Math.ceil(length / perSlice), perSlice };
}

/** How to split a reduction of [OUTER, R, INNER] over R, by rows where those lie in order and are long enough. */
export function splitReduction(
  { OUTER, R, INNER }: { readonly OUTER: number; readonly R: number; readonly INNER: number },
  tuning: Tuning,
): { slices: number; perSlice: number } {
  const { rowTree, parallelism } = tuning;
  const workgroup = INNER === 1 ? rowWorkgroup(R, rowTree) : null;
  if (rowTree === null || workgroup === null) return splitSum(R, OUTER * INNER, tuning);
  return splitRow(R, OUTER, workgroup, rowTree, parallelism);
}

/** The block of a cross-correlation of so many rows and columns, and how many blocks lie along each. */
export function crossCorrelationBlocks(
  rows: number,
  columns: number,
  { crossCorrelation, parallelism }: Tuning,
): Record<'ROW_BLOCK' | 'COLUMN_BLOCK' | 'ROW_GROUPS' | 'COLUMN_GROUPS', number> {
  const choices = crossCorrelation.map((block) => {
    const ROW_BLOCK = evenPieces(rows, block.rows);
    const COLUMN_BLOCK = evenPieces(columns, block.columns);
    const ROW_GROUPS = Math.ceil(rows / ROW_BLOCK);
    const COLUMN_GROUPS = Math.ceil(columns / COLUMN_BLOCK);
    return { ROW_BLOCK, COLUMN_BLOCK, ROW_GROUPS, COLUMN_GROUPS };
  });
  const isEnough = (choice: (typeof choices)[number]): boolean =>
    choice.ROW_GROUPS * choice.COLUMN_GROUPS >= parallelism;
  return choices.find(isEnough) ?? choices.at(-1)!;
}
