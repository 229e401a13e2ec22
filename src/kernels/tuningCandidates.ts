/**
 * What `hypergrad tune` tries on a device: groups of block sizes that are measured together, and for each class of
 * device the candidates that may take the place of its table's. Groups are tuned in this order, each with what the ones
 * before it chose.
 */
import { type DeviceClass, type KernelName, kernelNames, type Tuning } from './catalogue.js';
import type { TuningOverrides } from './deviceTuning.js';

/** Candidates by names that people read. */
export type Candidates = Readonly<Record<string, TuningOverrides>>;

/** Block sizes that are measured together. */
export interface TuningGroup {
  /** Kernels whose time counts. */
  readonly kernels: readonly KernelName[];
  /** What may take the place of the class's own block sizes. */
  readonly candidates: Readonly<Record<DeviceClass, Candidates>>;
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

const products = (choices: readonly Tuning['matmul'][]): Candidates =>
  each(
    choices,
    (blocks) => blocks.map(({ rows, columns }) => `${rows}×${columns}`).join(' or '),
    (matmul) => ({ matmul }),
  );

const counts = (
  values: readonly number[],
  unit: string,
  overrides: (value: number) => TuningOverrides,
): Candidates => each(values, (value) => `${value} ${unit}`, overrides);

/** A group for the size of these kernels' workgroups, every one the same. */
function workgroups(
  kernels: readonly KernelName[],
  sizes: Readonly<Record<DeviceClass, readonly number[]>>,
): TuningGroup {
  const candidates = (device: DeviceClass): Candidates =>
    counts(sizes[device], 'invocations', (size) => ({
      workgroup: Object.fromEntries(kernels.map((name) => [name, size])),
    }));
  return { kernels, candidates: { software: candidates('software'), hardware: candidates('hardware') } };
}

const CONVOLUTIONS: readonly KernelName[] = ['conv2d', 'conv2dInputGrad', 'conv2dWeightGrad'];
const ALONE: readonly KernelName[] = [...CONVOLUTIONS, 'matmul', 'elementwise', 'reduce', 'instanceNorm'];

const WORKGROUPS = { software: [4, 8, 16, 32, 64], hardware: [32, 64, 128, 256] } as const;

/** The groups, in the order in which they are tuned. */
export const tuningGroups: Readonly<Record<string, TuningGroup>> = {
  conv2d: {
    kernels: ['conv2d', 'conv2dInputGrad'],
    candidates: {
      software: convolutions([
        { outputs: 4, pixels: 16 },
        { outputs: 8, pixels: 8 },
        { outputs: 16, pixels: 8, sums: 128 },
        { outputs: 8, pixels: 16, sums: 128 },
        { outputs: 8, pixels: 16, sums: 32 },
      ]),
      hardware: convolutions([
        { outputs: 4, pixels: 4, sums: 16 },
        { outputs: 8, pixels: 2, sums: 16 },
        { outputs: 16, pixels: 2, sums: 32 },
        { outputs: 8, pixels: 8, sums: 64 },
      ]),
    },
  },
  conv2dWeightGrad: {
    kernels: ['conv2dWeightGrad'],
    candidates: {
      software: weightGradients([
        { outputs: 2 },
        { outputs: 8 },
        { tapRows: 1 },
        { outputs: 8, tapRows: 1 },
        { wholeRow: 16 },
        { outputs: 8, wholeRow: 16, sums: 144 },
      ]),
      hardware: weightGradients([
        { outputs: 1 },
        { outputs: 2 },
        { outputs: 8 },
        { tapRows: 1 },
        { outputs: 8, tapRows: 1 },
        { pixels: 8, wholeRow: 8 },
      ]),
    },
  },
  matmul: {
    kernels: ['matmul'],
    candidates: {
      software: products([
        [{ rows: 4, columns: 4 }],
        [{ rows: 8, columns: 8 }],
        [{ rows: 4, columns: 16 }],
        [
          { rows: 16, columns: 8 },
          { rows: 8, columns: 8 },
        ],
      ]),
      hardware: products([
        [{ rows: 2, columns: 2 }],
        [
          { rows: 8, columns: 8 },
          { rows: 4, columns: 4 },
        ],
        [
          { rows: 8, columns: 4 },
          { rows: 4, columns: 2 },
        ],
        [
          { rows: 4, columns: 4 },
          { rows: 2, columns: 2 },
        ],
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
    kernelNames.filter((name) => !ALONE.includes(name)),
    WORKGROUPS,
  ),
};
