/** Operations on the device at hand, held to their float64 references. */
import { expect } from 'vitest';
import { compile } from '../../src/autograd/compile/plan.js';
import { interpret } from '../../src/autograd/interpret.js';
import { trace } from '../../src/autograd/trace.js';
import type { Device } from '../../src/gpu/device.js';
import { expectNear, FLOAT32, type Tolerance } from './compare.js';
import type { OperationCase } from './operations/case.js';

/** Holds that an operation gives on the device what its float64 reference gives, and whole numbers exactly. */
export async function expectSameOnDevice(
  device: Device,
  { inputs, build }: OperationCase,
  tolerance: Tolerance = FLOAT32,
): Promise<void> {
  const types = Object.fromEntries(Object.entries(inputs).map(([name, { type }]) => [name, type]));
  const values = Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, input.values]));
  const tape = trace(types, (tensors) => ({ y: build(tensors) }));
  const plan = await compile(tape, device);
  try {
    const { y } = await plan.run(values);
    const want = interpret(tape, values).y!;
    // A norm would be that of the largest words alone.
    if (y instanceof Int32Array) expect([...y]).toEqual([...want]);
    else expectNear(y!, want, tolerance);
  } finally {
    plan.release();
  }
}
