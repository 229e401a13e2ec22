/** A function of tensors at chosen numbers, element by element: in float64 and on a device. */
import { expect } from 'vitest';
import { compile } from '../../src/autograd/compile/plan.js';
import { gradient } from '../../src/autograd/gradient.js';
import { interpret } from '../../src/autograd/interpret.js';
import { sumAll } from '../../src/autograd/ops/reduce.js';
import { f32, type Tape } from '../../src/autograd/tape.js';
import { type Tensor, trace } from '../../src/autograd/trace.js';
import type { Device } from '../../src/gpu/device.js';

type Numbers = ArrayLike<number>;

const float32 = (numbers: Numbers): Float32Array => Float32Array.from(numbers);

/** The tape of a function of vectors. */
export const tapeOf = (build: (...inputs: Tensor[]) => Tensor, inputs: readonly Numbers[]): Tape => {
  const types = Object.fromEntries(inputs.map((numbers, k) => [`x${k}`, f32(numbers.length)]));
  return trace(types, (tensors) => ({ y: build(...Object.values(tensors)) }));
};

const named = (inputs: readonly Numbers[]): Record<string, Float32Array> =>
  Object.fromEntries(inputs.map((numbers, k) => [`x${k}`, float32(numbers)]));

/** The function in float64, at the numbers that f32 holds. */
export const inFloat64 = (build: (...inputs: Tensor[]) => Tensor, ...inputs: Numbers[]): number[] => [
  ...interpret(tapeOf(build, inputs), named(inputs)).y!,
];

export async function onDevice(
  device: Device,
  build: (...inputs: Tensor[]) => Tensor,
  ...inputs: Numbers[]
): Promise<number[]> {
  const plan = await compile(tapeOf(build, inputs), device);
  try {
    return [...(await plan.run(named(inputs))).y!];
  } finally {
    plan.release();
  }
}

/** The derivative of a function of one vector, element by element where its elements do not meet. */
export const slope =
  (build: (a: Tensor) => Tensor) =>
  (a: Tensor): Tensor =>
    gradient(sumAll(build(a)), [a])[0]!;

/** Holds each element for itself: NaN and infinities exactly, others within a relative error and a least one. */
export function expectEach(got: Numbers, want: Numbers, relative: number, least: number): void {
  expect(got.length).toBe(want.length);
  for (let k = 0; k < want.length; k++) {
    const place = `element ${k}: ${got[k]} for ${want[k]}`;
    if (Number.isFinite(want[k])) {
      expect(Math.abs(got[k]! - want[k]!), place).toBeLessThanOrEqual(relative * Math.abs(want[k]!) + least);
    } else expect(got[k], place).toBe(want[k]);
  }
}
