/**
 * Every kernel of the engine, and the block sizes that suit each class of device. Operations choose a kernel
 * and give its definitions; numbers that only tune the launch live here and nowhere else.
 */
import alongAxis from './alongAxis.wgsl?raw';
import augment from './augment.wgsl?raw';
import avgPool from './avgPool.wgsl?raw';
import barlowTwins from './barlowTwins.wgsl?raw';
import channelSums from './channelSums.wgsl?raw';
import conv2d from './conv2d.wgsl?raw';
import conv2dInputGrad from './conv2dInputGrad.wgsl?raw';
import conv2dWeightGrad from './conv2dWeightGrad.wgsl?raw';
import copy from './copy.wgsl?raw';
import crossCorrelation from './crossCorrelation.wgsl?raw';
import elementwise from './elementwise.wgsl?raw';
import fill from './fill.wgsl?raw';
import functions from './functions.wgsl?raw';
import gather from './gather.wgsl?raw';
import instanceNorm from './instanceNorm.wgsl?raw';
import matmul from './matmul.wgsl?raw';
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
import rowProgram from './rowProgram.wgsl?raw';
import streamCopy from './streamCopy.wgsl?raw';
import { type Definitions, expandKernel } from './template.js';

const sources = {
  alongAxis,
  augment: `${philox}\n${augment}`,
  avgPool,
  barlowTwins,
  channelSums,
  conv2d,
  conv2dInputGrad,
  conv2dWeightGrad,
  copy,
  crossCorrelation,
  elementwise: `${functions}\n${elementwise}`,
  fill,
  gather,
  instanceNorm,
  matmul,
  maxPool,
  mse,
  multiplyAdd,
  oneHot,
  pack,
  reduce: `${functions}\n${reduce}`,
  random: `${philox}\n${random}`,
  rearrange,
  rowProgram: `${functions}\n${rowProgram}`,
  streamCopy,
} as const;

/** Name of a kernel: its .wgsl file, without the ending. */
export type KernelName = keyof typeof sources;
export const kernelNames = Object.keys(sources) as KernelName[];

/** Which table of block sizes fits: registers without workgroup memory, or many narrow invocations. */
export type DeviceClass = 'software' | 'hardware';

/** Block sizes of one device class. Each number is a count of elements a single invocation works on. */
export interface Tuning {
  /** Invocations in a workgroup, by kernel. */
  readonly workgroup: Readonly<Record<KernelName, number>>;
  /**
   * Most output channels, neighbouring pixels, and products of the two that a convolution holds in registers; most
   * products of the sums with a window's row that are written out.
   */
  readonly conv2d: Readonly<Record<'outputs' | 'pixels' | 'sums' | 'terms', number>>;
  /** Output channels, segment of a row (rows up to `wholeRow` are taken whole), window rows, and most sums in all of a convolution's weight gradient. */
  readonly conv2dWeightGrad: Readonly<Record<'outputs' | 'pixels' | 'wholeRow' | 'tapRows' | 'sums', number>>;
  /** Most window elements that a pooling kernel writes out, for all the windows of one turn. */
  readonly poolTerms: number;
  /** Rows × columns of a matrix product held in registers: the first that leaves enough invocations, else the last. */
  readonly matmul: readonly { readonly rows: number; readonly columns: number }[];
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

const tunings: Readonly<Record<DeviceClass, Tuning>> = {
  // A workgroup is a unit of work for one core: small ones share the cores evenly.
  software: {
    workgroup: { ...everyKernel(16), elementwise: 32, conv2d: 8, conv2dInputGrad: 8, conv2dWeightGrad: 8 },
    conv2d: { outputs: 8, pixels: 16, sums: 64, terms: 512 },
    conv2dWeightGrad: { outputs: 4, pixels: 4, wholeRow: 8, tapRows: 3, sums: 96 },
    poolTerms: 256,
    matmul: [
      { rows: 12, columns: 12 },
      { rows: 8, columns: 8 },
    ],
    elementwiseItems: 8,
    copyItems: 16,
    unroll: 8,
    rowProgram: { unroll: 8, loadCost: 10, planes: 32, elements: 2 ** 14, bindings: 10 },
    parallelism: 128,
    peaks: { chains: 8, bytes: 2 ** 25 },
  },
  hardware: {
    workgroup: everyKernel(64),
    conv2d: { outputs: 8, pixels: 4, sums: 32, terms: 512 },
    conv2dWeightGrad: { outputs: 4, pixels: 4, wholeRow: 4, tapRows: 3, sums: 96 },
    poolTerms: 256,
    matmul: [{ rows: 4, columns: 4 }],
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

/** The finished WGSL of a kernel: prelude and file, specialised. */
export function kernelCode(name: KernelName, definitions: Definitions): string {
  return expandKernel(`${prelude}\n${sources[name]}`, definitions);
}

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

/** How to split a sum of `length` terms, computed `outputs` times side by side, so that the device is busy. */
export function splitSum(
  length: number,
  outputs: number,
  tuning: Tuning,
): { slices: number; perSlice: number } {
  // Below this many terms a slice costs more to start than it saves.
  const shortestSlice = 32;
  const wanted = Math.max(1, Math.ceil(tuning.parallelism / outputs));
  const perSlice = Math.max(Math.ceil(length / wanted), Math.min(shortestSlice, length));
  return { slices: Math.ceil(length / perSlice), perSlice };
}

/** The block of a matrix product of so many rows and columns, and how many blocks lie along each. */
export function matmulBlocks(
  rows: number,
  columns: number,
  { matmul, parallelism }: Tuning,
): Record<'ROW_BLOCK' | 'COLUMN_BLOCK' | 'ROW_GROUPS' | 'COLUMN_GROUPS', number> {
  const choices = matmul.map((block) => {
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
