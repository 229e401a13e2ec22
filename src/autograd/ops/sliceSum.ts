/** The second half of every sum that was split into slices to keep the device busy. */
import { unrollFactor } from '../../kernels/catalogue.js';
import type { Definitions } from '../../kernels/template.js';
import type { Lowering, Storage } from '../operation.js';

/** Adds up SLICES partial results of `size` elements each, in order. */
export function launchSliceSum(
  lowering: Lowering,
  part: Storage,
  output: Storage,
  slices: number,
  size: number,
): void {
  const definitions: Definitions = {
    OUTER: 1,
    R: slices,
    INNER: size,
    SLICES: 1,
    PER_SLICE: slices,
    UNROLL: unrollFactor(slices, lowering.tuning.unroll),
    MAXIMUM: false,
    BINDINGS:
      '@group(0) @binding(0) var<storage, read_write> operand0: array<f32>;\n' +
      '@group(0) @binding(1) var<storage, read_write> result: array<f32>;',
    BASES: '',
    BODY: '',
    VALUE: `operand0[item * ${size}u + inner]`,
  };
  lowering.launch('reduce', definitions, [part, output], size);
}
