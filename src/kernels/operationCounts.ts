/**
 * How much a launch calculates, for profiles. A multiplication, an addition, a comparison and a function such as exp count
 * one each; a product is counted as if every factor were there, also where a window hangs over the border. Kernels that
 * move, sample, pack or draw numbers count nothing.
 */
import type { KernelName } from './catalogue.js';
import type { Definitions } from './template.js';

type Count = (extents: Readonly<Record<string, number>>) => number;

const none: Count = () => 0;

/** 2·N·O·HO·WO·C·K·L, for the convolution and both of its gradients, and an addition each for a bias. */
const convolution: Count = ({ N, O, HO, WO, C, K, L, BIAS }) =>
  N! * O! * HO! * WO! * (2 * C! * K! * L! + (BIAS ?? 0));

/** A sum or a comparison for every pixel of every window. */
const window: Count = ({ CHANNELS, HO, WO, K, L }) => CHANNELS! * HO! * WO! * K! * L!;

const instanceNorm: Count = ({ ROWS, R, STANDARDISE, RECIPROCAL, PROJECT }) =>
  // Sum, centring and squares, then centring and scaling; or two sums, then the projection.
  ROWS! * R! * (STANDARDISE! ? 6 : RECIPROCAL! ? 4 : PROJECT! ? 6 : 2);

const reduce: Count = ({ OUTER, R, INNER, OPERATIONS }) => OUTER! * R! * INNER! * ((OPERATIONS ?? 0) + 1);

const counts: Readonly<Record<KernelName, Count>> = {
  alongAxis: ({ ADD, OUTER, B, INNER }) => ADD! * OUTER! * B! * INNER!,
  augment: none,
  avgPool: window,
  barlowTwins: ({ D }) => 3 * D! * D!,
  blur: ({ OUTER, EXTENT, INNER, REACH }) => OUTER! * EXTENT! * INNER! * (3 * REACH! + 1),
  channelSums: ({ SUMS, IMAGES, CHANNELS }) => SUMS! * IMAGES! * CHANNELS!,
  conv2d: convolution,
  conv2dInputGrad: convolution,
  conv2dTiled: convolution,
  conv2dWeightGrad: convolution,
  conv2dWeightGradTiled: convolution,
  copy: none,
  crossCorrelation: ({ B, D1, D2 }) => 2 * B! * D1! * D2!,
  elementwise: ({ COUNT, OPERATIONS }) => COUNT! * OPERATIONS!,
  fill: none,
  gather: ({ SCATTER_ADD, OUTER, B, ROW }) => SCATTER_ADD! * OUTER! * B! * ROW!,
  halves: none,
  instanceNorm,
  instanceNormTree: instanceNorm,
  matmul: ({ M, COLUMNS, INNER, BIAS }) => M! * COLUMNS! * (2 * INNER! + BIAS!),
  matmulTiled: ({ ROWS, COLUMNS, INNER, BIAS }) => ROWS! * COLUMNS! * (2 * INNER! + BIAS!),
  maxPool: window,
  mse: ({ COUNT }) => 3 * COUNT!,
  multiplyAdd: ({ INVOCATIONS, CHAINS, ROUNDS, UNROLL }) => 2 * INVOCATIONS! * CHAINS! * ROUNDS! * UNROLL!,
  oneHot: none,
  pack: none,
  random: none,
  rearrange: none,
  reduce,
  reduceTree: reduce,
  rowProgram: ({ ROWS, OPERATIONS }) => ROWS! * OPERATIONS!,
  streamCopy: none,
  warpAdjoint: none,
};

/** Floating-point operations of one launch of a kernel with these definitions. */
export function countOperations(kernel: KernelName, definitions: Definitions): number {
  const extents = Object.entries(definitions).map(([name, value]) => [name, Number(value)] as const);
  return counts[kernel](Object.fromEntries(extents));
}
