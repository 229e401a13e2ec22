/** The kernels that matter most, at the sizes of the small students. */
import { BYTES } from '../../src/autograd/compile/bufferRange.js';
import { sizeOf } from '../../src/autograd/tape.js';
import { permutation } from '../../src/kernels/philox.js';
import { drawn } from './students.js';
import type { HostTensor, KernelCase } from './types.js';

const SIDE = 384;
const [BATCH, CHANNELS, IMAGE, WINDOW] = [32, 32, 16, 3];
const images = [BATCH, CHANNELS, IMAGE, IMAGE];
const weight = [CHANNELS, CHANNELS, WINDOW, WINDOW];
const TABLE_ROWS = 1024;
const ROW = 3 * 32 * 32;
const CHOSEN_ROWS = 512;
const CHAIN_LENGTH = 2 ** 20;

const bytesOf = (...shapes: (readonly number[])[]): number =>
  shapes.reduce((total, shape) => total + sizeOf(shape) * BYTES, 0);

function chosenRows(): HostTensor {
  const order = permutation({ seed: 1, purpose: 'bench/rows', index: 0 }, TABLE_ROWS);
  return { shape: [CHOSEN_ROWS], data: order.slice(0, CHOSEN_ROWS) };
}

/** The kernels that are measured. */
export function kernelCases(): KernelCase[] {
  const convolution = {
    work: 2 * sizeOf(images) * CHANNELS * WINDOW * WINDOW,
    unit: 'GFLOP/s',
  } as const;
  const size = `3×3, ${CHANNELS} → ${CHANNELS} channels, ${IMAGE}×${IMAGE}, batch ${BATCH}`;
  return [
    {
      name: `matmul ${SIDE}³`,
      operation: 'matmul',
      operands: [drawn('a', [SIDE, SIDE]), drawn('b', [SIDE, SIDE])],
      output: [SIDE, SIDE],
      work: 2 * SIDE ** 3,
      unit: 'GFLOP/s',
    },
    {
      name: `convolution ${size}`,
      operation: 'conv2d',
      operands: [drawn('x', images), drawn('w', weight)],
      output: images,
      ...convolution,
    },
    {
      name: `convolution ${size}: input gradient`,
      operation: 'conv2dInputGrad',
      operands: [drawn('y', images), drawn('w', weight)],
      output: images,
      ...convolution,
    },
    {
      name: `convolution ${size}: weight gradient`,
      operation: 'conv2dWeightGrad',
      operands: [drawn('x', images), drawn('y', images)],
      output: weight,
      ...convolution,
    },
    {
      name: `instance norm ${images.join('×')}`,
      operation: 'instanceNorm',
      operands: [drawn('x', images), drawn('scale', [CHANNELS]), drawn('shift', [CHANNELS])],
      output: images,
      work: bytesOf(images, images),
      unit: 'GB/s',
    },
    {
      name: `gather ${CHOSEN_ROWS} of ${TABLE_ROWS} rows of ${ROW}`,
      operation: 'gather',
      operands: [drawn('table', [TABLE_ROWS, ROW]), chosenRows()],
      output: [CHOSEN_ROWS, ROW],
      work: bytesOf([CHOSEN_ROWS, ROW], [CHOSEN_ROWS, ROW]),
      unit: 'GB/s',
    },
    {
      name: `elementwise chain max(a·b + a, 0)·b − a of ${CHAIN_LENGTH}`,
      operation: 'elementwiseChain',
      operands: [drawn('a', [CHAIN_LENGTH]), drawn('b', [CHAIN_LENGTH])],
      output: [CHAIN_LENGTH],
      work: bytesOf([CHAIN_LENGTH], [CHAIN_LENGTH], [CHAIN_LENGTH]),
      unit: 'GB/s',
    },
  ];
}
