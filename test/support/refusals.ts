/** Operations on shapes that do not fit. */
import { expect } from 'vitest';
import type { TensorType } from '../../src/autograd/tape.js';
import { Recorder, type Tensor } from '../../src/autograd/trace.js';
import { ShapeError } from '../../src/errors.js';

type Build = (...inputs: [Tensor, Tensor, Tensor]) => Tensor;

export type Refusal = readonly [what: string, types: readonly TensorType[], build: Build, message: RegExp];

/** Holds that recording the operation on inputs of these types is a ShapeError with such a message. */
export function expectRefused(types: readonly TensorType[], build: Build, message: RegExp): void {
  const recorder = new Recorder();
  const tensors = types.map((type, k) => recorder.input(`input${k}`, type)) as [Tensor, Tensor, Tensor];
  const attempt = () => build(...tensors);
  expect(attempt).toThrow(ShapeError);
  expect(attempt).toThrow(message);
}
