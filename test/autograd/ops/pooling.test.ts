/** maxPool2d, avgPool2d and globalAveragePool. */
import { describe, expect, it } from 'vitest';
import { compile } from '../../../src/autograd/compile/plan.js';
import { gradient } from '../../../src/autograd/gradient.js';
import { interpret } from '../../../src/autograd/interpret.js';
import { avgPool2d, globalAveragePool } from '../../../src/autograd/ops/avgPool2d.js';
import { maxPool2d } from '../../../src/autograd/ops/maxPool2d.js';
import type { Pool2dOptions } from '../../../src/autograd/ops/pool2dExtents.js';
import { f32, type Shape, sizeOf } from '../../../src/autograd/tape.js';
import { type Tensor, trace } from '../../../src/autograd/trace.js';
import { expectNear } from '../../support/compare.js';
import { expectFirstDerivatives, expectSecondDerivatives } from '../../support/derivatives.js';
import { useDevice } from '../../support/device.js';
import { expectSameOnDevice } from '../../support/onDevice.js';
import { floats } from '../../support/operations/case.js';

const openedDevice = useDevice();
const { NaN: NAN, NEGATIVE_INFINITY: LOWEST } = Number;

/** Both evaluations of a pooling and of its gradient for a cotangent of 1, 2, 3, …. */
async function evaluate(
  pool: (x: Tensor) => Tensor,
  shape: Shape,
  values: readonly number[],
): Promise<{ reference: Record<string, Float64Array>; device: Record<string, Float32Array> }> {
  const outputs = trace({ x: f32(...shape) }, ({ x }) => ({ y: pool(x) }));
  const pooled = outputs.operations[outputs.outputs.y!]!.type.shape;
  const tape = trace({ x: f32(...shape), c: f32(...pooled) }, ({ x, c }) => {
    const y = pool(x);
    return { y, d_x: gradient(y, [x], { cotangent: c })[0]! };
  });
  const inputs = {
    x: Float32Array.from(values),
    c: Float32Array.from({ length: sizeOf(pooled) }, (_, k) => k + 1),
  };
  const plan = await compile(tape, await openedDevice());
  try {
    return { reference: interpret(tape, inputs), device: (await plan.run(inputs)) as never };
  } finally {
    plan.release();
  }
}

interface Worked {
  readonly options: Pool2dOptions;
  readonly shape: Shape;
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly d_x: readonly number[];
}

async function expectWorked(pool: typeof maxPool2d, { options, shape, x, y, d_x }: Worked): Promise<void> {
  const { reference, device } = await evaluate((input) => pool(input, options), shape, x);
  expect([...reference.y!]).toEqual(y);
  expect([...reference.d_x!]).toEqual(d_x);
  expect([...device.y!]).toEqual(y);
  expect([...device.d_x!]).toEqual(d_x);
}

describe('maxPool2d', () => {
  it('gives a tie’s gradient to the first in row-major order', async () => {
    await expectWorked(maxPool2d, {
      options: { size: 2 },
      shape: [1, 1, 2, 4],
      x: [0, 1, 5, 5, 1, 1, 5, 5],
      y: [1, 5],
      d_x: [0, 1, 2, 0, 0, 0, 0, 0],
    });
  });

  it('sums the gradients of all windows that chose a pixel', async () => {
    await expectWorked(maxPool2d, {
      options: { size: 3, stride: 1, padding: 1 },
      shape: [1, 1, 3, 3],
      x: [1, 1, 1, 1, 9, 1, 1, 1, 1],
      y: [9, 9, 9, 9, 9, 9, 9, 9, 9],
      d_x: [0, 0, 0, 0, 45, 0, 0, 0, 0],
    });
  });

  it('takes padding for −∞, not for zeros', async () => {
    await expectWorked(maxPool2d, {
      options: { size: 2, padding: 1 },
      shape: [1, 1, 2, 2],
      x: [-1, -2, -3, -4],
      y: [-1, -2, -3, -4],
      d_x: [1, 2, 3, 4],
    });
  });

  it('lets NaN through, and its gradient to the last one', async () => {
    await expectWorked(maxPool2d, {
      options: { size: [1, 3] },
      shape: [1, 1, 3, 3],
      x: [NAN, 2, 3, 1, NAN, 9, NAN, NAN, 7],
      y: [NAN, NAN, NAN],
      d_x: [1, 0, 0, 0, 2, 0, 0, 3, 0],
    });
  });

  it('finds −∞ where there is nothing above it, at the first place', async () => {
    await expectWorked(maxPool2d, {
      options: { size: [1, 3], padding: [0, 1], stride: 2 },
      shape: [1, 1, 1, 5],
      x: [LOWEST, LOWEST, LOWEST, LOWEST, -7],
      y: [LOWEST, LOWEST, -7],
      d_x: [1, 2, 0, 0, 3],
    });
  });

  it('leaves out rows and columns that fill no window, and steps beyond the window', async () => {
    await expectWorked(maxPool2d, {
      options: { size: [2, 1], stride: [2, 3] },
      shape: [1, 1, 3, 5],
      x: [1, 9, 9, 4, 9, 2, 9, 9, 3, 9, 9, 9, 9, 9, 9],
      y: [2, 4],
      d_x: [0, 0, 0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    });
  });
});

describe('avgPool2d', () => {
  it('counts padding as zeros, in the divisor too', async () => {
    await expectWorked(avgPool2d, {
      options: { size: 2, padding: 1 },
      shape: [1, 1, 2, 2],
      x: [4, 8, 12, 16],
      y: [1, 2, 3, 4],
      d_x: [0.25, 0.5, 0.75, 1],
    });
  });

  it('has windows whose sides and steps differ', async () => {
    await expectWorked(avgPool2d, {
      options: { size: [1, 2], stride: [2, 1] },
      shape: [1, 1, 3, 3],
      x: [2, 4, 8, 0, 0, 0, 6, 2, 0],
      y: [3, 6, 4, 1],
      d_x: [0.5, 1.5, 1, 0, 0, 0, 1.5, 3.5, 2],
    });
  });

  it('of the whole image is the mean of every channel, also where it is not written out', async () => {
    const shape = [2, 3, 20, 17];
    const x = floats(1, 'x', shape);
    const { reference, device } = await evaluate((input) => avgPool2d(input, { size: [20, 17] }), shape, [
      ...x.values,
    ]);
    const tape = trace({ x: f32(...shape) }, (inputs) => ({ y: globalAveragePool(inputs.x) }));
    const want = interpret(tape, { x: x.values }).y!;
    expectNear(reference.y!, want, { relative: 1e-12, absolute: 1e-12 });
    expectNear(device.y!, want);
    expectNear(device.d_x!, reference.d_x!);
  });
});

describe('globalAveragePool', () => {
  const operation = {
    inputs: { x: floats(3, 'x', [2, 3, 4, 5]) },
    build: ({ x }: Record<string, Tensor>) => globalAveragePool(x!),
    differentiable: ['x'],
  };

  it('gives on the device what its reference gives', async () => {
    await expectSameOnDevice(await openedDevice(), operation);
  });

  it('has the derivatives that central differences give', () => {
    expectFirstDerivatives(operation);
    expectSecondDerivatives(operation);
  });
});
