/**
 * What `hypergrad tune` tries on a device: groups of block sizes that are measured together, and for each class of
 * device the candidates that may take the place of its table's. Groups are tuned in this order, each with what the ones
 * before it chose.
 */
import type { AdapterKind } from '../gpu/deviceRequest.js';
import { type KernelName, kernelNames, type Tuning } from './catalogue.js';
import type { TuningOverrides } from './deviceTuning.js';

/** Candidates by names that people read. */
export type Candidates = Readonly<Record<string, TuningOverrides>>;

/** Block sizes that are measured together. */
export interface TuningGroup {
  /** Kernels whose time counts. */
  readonly kernels: readonly KernelName[];
  /** What may take the place of the class's own block sizes. */
  readonly candidates: Readonly<Record<AdapterKind, Candidates>>;
}

const each = <Value>(
  values: readonly Value[],
  name: (value: Value) => string,
  overrides: (value: Value) => TuningOverrides,
): Candidates => Object.fromEntries(values.map((value) => [name(value), overrides(value)]));

const numbersText = (values: Readonly<Record<string, number>>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');

const convolutions = (blocks: readonly Partial<Tuning['conv2d']>[]): Candidates =>
  each(blocks, numbersText, (conv2d) => ({ conv2d }));

const weightGradients = (blocks: readonly Partial<Tuning['conv2dWeightGrad']>[]): Candidates =>
  each(blocks, numbersText, (conv2dWeightGrad) => ({ conv2dWeightGrad }));

const products = (blocks: readonly Partial<Tuning['matmulBlock']>[]): Candidates =>
  each(blocks, numbersText, (matmulBlock) => ({ matmulBlock }));

const counts = (
  values: readonly number[],
  unit: string,
  overrides: (value: number) => TuningOverrides,
): Candidates => each(values, (value) => `${value} ${unit}`, overrides);

/** A group for the size of these kernels' workgroups, every one the same. */
function workgroups(
  kernels: readonly KernelName[],
  sizes: Readonly<Record<AdapterKind, readonly number[]>>,
): TuningGroup {
  const candidates = (kind: AdapterKind): Candidates =>
    counts(sizes[kind], 'invocations', (size) => ({
      workgroup: Object.fromEntries(kernels.map((name) => [name, size])),
    }));
  return { kernels, candidates: { software: candidates('software'), hardware: candidates('hardware') } };
}

const CONVOLUTIONS: readonly KernelName[] = ['conv2d', 'conv2dInputGrad', 'conv2dWeightGrad'];
const ALONE: readonly KernelName[] = [...CONVOLUTIONS, 'matmul', 'elementwise', 'reduce', 'instanceNorm'];
const OF_ROW_PROGRAMS: readonly KernelName[] = ['rowProgram', 'channelSums'];

const WORKGROUPS = { software: [4, 8, 16, 32, 64], hardware: [32, 64, 128, 256] } as const;

/** The groups, in the order in which they are tuned. */
export const tuningGroups: Readonly<Record<string, TuningGroup>> = {
  conv2d: {
    kernels: ['conv2d', 'conv2dInputGrad'],
    candidates: {
      software: convolutions([
        { rows: 1 },
        { rows: 4, pixels: 4 },
        { outputs: 4 },
        { outputs: 16, sums: 128 },
        { sums: 64, terms: 576 },
        { sums: 32, terms: 288 },
      ]),
      hardware: convolutions([
        { outputs: 4, sums: 16 },
        { outputs: 8, pixels: 2, sums: 16 },
        { outputs: 16, pixels: 2, sums: 32 },
        { outputs: 8, pixels: 8, sums: 64 },
        { rows: 2, pixels: 2 },
      ]),
    },
  },
  conv2dWeightGrad: {
    kernels: ['conv2dWeightGrad'],
    candidates: {
      software: weightGradients([
        { rows: 2 },
        { rows: 2, pixels: 8 },
        { rows: 1, pixels: 16 },
        { outputs: 4 },
        { outputs: 16, rows: 2, sums: 160 },
      ]),
      hardware: weightGradients([
        { outputs: 1 },
        { outputs: 2 },
        { outputs: 8, sums: 72 },
        { pixels: 8 },
        { rows: 2, pixels: 2 },
      ]),
    },
  },
  matmul: {
    kernels: ['matmul'],
    candidates: {
      software: products([
        { rows: 16, columns: 4, sums: 64 },
        { rows: 16, columns: 8, sums: 128 },
        { rows: 8, columns: 8, sums: 64 },
        { rows: 24, columns: 4, sums: 96 },
        { rows: 16, columns: 6, sums: 96, steps: 2 },
        { rows: 8, columns: 4, sums: 32 },
      ]),
      hardware: products([
        { rows: 2, columns: 2, sums: 4 },
        { rows: 8, columns: 8, sums: 64, terms: 64 },
        { rows: 8, columns: 4, sums: 32, terms: 32 },
        { steps: 4, terms: 64 },
      ]),
    },
  },
  elementwise: {
    kernels: ['elementwise', 'rearrange'],
    candidates: {
      software: counts([1, 4, 16], 'items', (elementwiseItems) => ({ elementwiseItems })),
      hardware: counts([2, 4, 8], 'items', (elementwiseItems) => ({ elementwiseItems })),
    },
  },
  copy: {
    kernels: ['copy', 'fill', 'gather', 'pack'],
    candidates: {
      software: counts([4, 8, 32], 'items', (copyItems) => ({ copyItems })),
      hardware: counts([2, 4], 'items', (copyItems) => ({ copyItems })),
    },
  },
  reduce: {
    kernels: ['reduce', 'instanceNorm'],
    candidates: {
      software: counts([4, 16], 'terms a turn', (unroll) => ({ unroll })),
      hardware: counts([1, 8, 16], 'terms a turn', (unroll) => ({ unroll })),
    },
  },
  parallelism: {
    kernels: ['conv2dWeightGrad', 'matmul', 'reduce', 'mse'],
    candidates: {
      software: counts([32, 64, 256, 512], 'invocations', (parallelism) => ({ parallelism })),
      hardware: counts([4096, 8192, 32768, 65536], 'invocations', (parallelism) => ({ parallelism })),
    },
  },
  'convolution workgroup': workgroups(CONVOLUTIONS, WORKGROUPS),
  'matmul workgroup': workgroups(['matmul'], WORKGROUPS),
  'elementwise workgroup': workgroups(['elementwise'], WORKGROUPS),
  'reduction workgroup': workgroups(['reduce', 'instanceNorm'], WORKGROUPS),
  'other workgroups': workgroups(
    kernelNames.filter((name) => ![...ALONE, ...OF_ROW_PROGRAMS].includes(name)),
    WORKGROUPS,
  ),
};
