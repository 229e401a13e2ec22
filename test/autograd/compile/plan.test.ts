import { describe, expect, it } from 'vitest';
import type { Numbers } from '../../../src/autograd/compile/bufferRange.js';
import { type CompileOptions, compile, type Plan } from '../../../src/autograd/compile/plan.js';
import { gradient } from '../../../src/autograd/gradient.js';
import { interpret } from '../../../src/autograd/interpret.js';
import { add, exp, mul, relu, scale, sub } from '../../../src/autograd/ops/elementwise.js';
import { gather, scatterAdd } from '../../../src/autograd/ops/gather.js';
import { matmul } from '../../../src/autograd/ops/matmul.js';
import { squaredDistance } from '../../../src/autograd/ops/mse.js';
import { oneHot } from '../../../src/autograd/ops/oneHot.js';
import { segment } from '../../../src/autograd/ops/pack.js';
import { dot, reshape, sumAll } from '../../../src/autograd/ops/reduce.js';
import { f32, i32, type Tape } from '../../../src/autograd/tape.js';
import { type Tensor, trace } from '../../../src/autograd/trace.js';
import { ShapeError } from '../../../src/errors.js';
import { expectNear, numbers } from '../../support/compare.js';
import { useDevice } from '../../support/device.js';

const openedDevice = useDevice();

async function withPlan<T>(
  tape: Tape,
  use: (plan: Plan) => Promise<T>,
  options?: CompileOptions,
): Promise<T> {
  const plan = await compile(tape, await openedDevice(), options);
  try {
    return await use(plan);
  } finally {
    plan.release();
  }
}

/** Runs a tape on the device and holds every output against float64. */
async function expectRight(tape: Tape, inputs: Readonly<Record<string, Numbers>>): Promise<void> {
  const want = interpret(tape, inputs);
  const got = await withPlan(tape, (plan) => plan.run(inputs));
  expect(Object.keys(got)).toEqual(Object.keys(want));
  for (const name of Object.keys(want)) expectNear(got[name]!, want[name]!, undefined, name);
}

describe('one tensor in several places', () => {
  const a = numbers(1, 'a', 25);

  it('is both operands of a product, a distance and a chain', async () => {
    const tape = trace({ a: f32(5, 5) }, ({ a }) => ({
      product: matmul(a, a),
      gram: matmul(a, a, { transposeA: true }),
      square: mul(a, a),
      length: dot(a, a),
      distance: squaredDistance(a, a),
    }));
    await expectRight(tape, { a });
  });

  it('is an operand under two shapes', async () => {
    const tape = trace({ a: f32(5, 5) }, ({ a }) => ({
      distance: squaredDistance(reshape(a, [25]), reshape(relu(a), [25])),
      product: matmul(reshape(a, [1, 25]), reshape(a, [25, 1])),
    }));
    await expectRight(tape, { a });
  });

  it('is an output under two names, and an input is an output', async () => {
    const tape = trace({ a: f32(5, 5) }, ({ a }) => {
      const e = exp(a);
      return { first: e, second: reshape(e, [25]), itself: a };
    });
    await expectRight(tape, { a });
  });
});

describe('views', () => {
  it('of segments that no binding can start at are copied', async () => {
    const tape = trace({ flat: f32(400) }, ({ flat }) => {
      const part = segment(flat, 3, [300]);
      return {
        exact: exp(segment(flat, 64, [5, 3])),
        odd: exp(segment(flat, 3, [16])),
        nested: exp(segment(part, 64, [7])),
        nestedOdd: segment(part, 61, [2, 4]),
      };
    });
    await expectRight(tape, { flat: numbers(1, 'flat', 400) });
  });
});

describe('scatterAdd in place', () => {
  const index = Int32Array.of(2, 0, 2);
  const inputs = { base: numbers(1, 'base', 12), index, rows: numbers(1, 'rows', 9) };
  const types = { base: f32(4, 3), index: i32(3), rows: f32(3, 3) };

  it('leaves a base alone that is an input, an output, or read by a later operation', async () => {
    const tape = trace(types, ({ base, index, rows }) => {
      const computed = exp(base);
      const kept = relu(base);
      const added = scatterAdd(computed, index, rows);
      return {
        fromInput: scatterAdd(base, index, rows),
        base,
        kept,
        fromOutput: scatterAdd(kept, index, rows),
        later: matmul(computed, added, { transposeB: true }),
      };
    });
    await expectRight(tape, inputs);
  });

  it('leaves a base alone that a chain fused into a later operation reads', async () => {
    const tape = trace(types, ({ base, index, rows }) => {
      const computed = matmul(base, rows);
      const before = exp(computed);
      const added = scatterAdd(computed, index, rows);
      return { y: mul(before, added) };
    });
    await expectRight(tape, inputs);
  });

  it('leaves a base alone that a view reads later', async () => {
    const tape = trace(types, ({ base, index, rows }) => {
      const computed = exp(base);
      const view = reshape(computed, [12]);
      const added = scatterAdd(computed, index, rows);
      return { y: add(view, reshape(added, [12])) };
    });
    await expectRight(tape, inputs);
  });

  it('adds rows of the base to itself', async () => {
    const tape = trace({ base: f32(3, 3), index: i32(3) }, ({ base, index }) => {
      const computed = exp(base);
      return { y: scatterAdd(computed, index, computed) };
    });
    await expectRight(tape, { base: numbers(1, 'base', 9), index });
  });

  it('works in the memory of an input that may be overwritten', async () => {
    const tape = trace(types, ({ base, index, rows }) => ({ base: scatterAdd(base, index, rows) }));
    const [first, second] = await withPlan(
      tape,
      async (plan) => {
        const once = await plan.run(inputs);
        plan.submit();
        return [once.base!, await plan.read('base')];
      },
      { overwrite: ['base'] },
    );
    const once = interpret(tape, inputs).base!;
    expectNear(first, once);
    expectNear(second, interpret(tape, { ...inputs, base: once }).base!);
  });
});

describe('Plan', () => {
  const stepTape = trace({ a: f32(9, 17), w: f32(17, 9) }, ({ a, w }) => {
    const loss = sumAll(exp(scale(matmul(a, w), 0.1)));
    const [gradientOfW] = gradient(loss, [w]) as [Tensor];
    return { loss, gradientOfW };
  });
  const stepInputs = { a: numbers(1, 'a', 153), w: numbers(1, 'w', 153) };

  it('gives the same bits each time it is replayed', async () => {
    await withPlan(stepTape, async (plan) => {
      const first = await plan.run(stepInputs);
      const second = await plan.run(stepInputs);
      expect(second).toEqual(first);
      expectNear(first.gradientOfW!, interpret(stepTape, stepInputs).gradientOfW!);
    });
  });

  it('goes on from a carried output', async () => {
    const tape = trace({ x: f32(6), step: f32() }, ({ x, step }) => ({ next: sub(x, mul(step, x)) }));
    await withPlan(
      tape,
      async (plan) => {
        plan.write('x', Float32Array.of(1, 2, 3, 4, 5, 6));
        plan.write('step', Float32Array.of(0.5));
        for (let round = 0; round < 3; round++) plan.submit();
        expect([...(await plan.read('next'))]).toEqual([1, 2, 3, 4, 5, 6].map((x) => x / 8));
      },
      { carry: { next: 'x' } },
    );
  });

  it('carries outputs that are inputs as these were before any is copied', async () => {
    const types = { x: f32(2), previous: f32(2), y: f32(2), z: f32(2) };
    const tape = trace(types, ({ x, y, z }) => ({ x: scale(x, 2), previous: x, y: z, z: y, seen: y }));
    const inputs = {
      x: Float32Array.of(1, 3),
      previous: Float32Array.of(0, 0),
      y: Float32Array.of(5, 6),
      z: Float32Array.of(7, 8),
    };
    const carry = { x: 'x', previous: 'previous', y: 'y', z: 'z' };
    await withPlan(
      tape,
      async (plan) => {
        expect(await plan.run(inputs)).toEqual({
          x: Float32Array.of(2, 6),
          previous: inputs.x,
          y: inputs.z,
          z: inputs.y,
          seen: inputs.y,
        });
        plan.submit();
        expect(await plan.read('x')).toEqual(Float32Array.of(4, 12));
        expect(await plan.read('previous')).toEqual(Float32Array.of(2, 6));
        expect(await plan.read('y')).toEqual(inputs.y);
        expect(await plan.read('seen')).toEqual(inputs.z);
      },
      { carry },
    );
  });

  it('copies nothing for a carry to where the output is already', async () => {
    const tape = trace({ x: f32(2), y: f32(2) }, ({ x }) => ({ x, y: scale(x, 2) }));
    const dispatches = await withPlan(tape, async (plan) => plan.dispatchCount, {
      carry: { x: 'x', y: 'y' },
    });
    expect(dispatches).toBe(1);
  });

  it('refuses options that do not fit the tape, with what it has', async () => {
    const device = await openedDevice();
    const tape = trace({ x: f32(2), n: i32(2) }, ({ x }) => ({ y: scale(x, 2), z: sumAll(x) }));
    const range = { buffer: device.acquireBuffer(256, 'given'), offset: 0, bytes: 4 };
    const cases: [CompileOptions, RegExp][] = [
      [{ carry: { nxt: 'x' } }, /carry names 'nxt'; the outputs are y, z/],
      [{ carry: { y: 'w' } }, /carry names 'w'; the inputs are x, n/],
      [{ carry: { z: 'x' } }, /carry copies output 'z' f32\[\] to input 'x' f32\[2\]/],
      [{ carry: { y: 'n' } }, /output 'y' f32\[2\] to input 'n' i32\[2\]/],
      [{ outputs: { typo: range } }, /outputs names 'typo'; the outputs are y, z/],
      [{ outputs: { y: range } }, /output 'y' f32\[2\] takes 8 bytes, but a range of 4/],
      [{ overwrite: ['w'] }, /overwrite names 'w'; the inputs are x, n/],
    ];
    for (const [options, message] of cases) {
      await expect(compile(tape, device, options)).rejects.toThrow(ShapeError);
      await expect(compile(tape, device, options)).rejects.toThrow(message);
    }
    device.releaseBuffer(range.buffer);
  });

  it('shares an input that lies in another buffer, at an offset', async () => {
    const device = await openedDevice();
    const buffer = device.acquireBuffer(1024, 'shared');
    device.write(buffer, Float32Array.of(1, 2, 3), 256);
    const tape = trace({ x: f32(3) }, ({ x }) => ({ y: scale(x, 2) }));
    const shared = { x: { buffer, offset: 256, bytes: 12 } };
    const y = await withPlan(
      tape,
      async (plan) => {
        plan.submit();
        return plan.read('y');
      },
      { inputs: shared },
    );
    expect([...y]).toEqual([2, 4, 6]);
    device.releaseBuffer(buffer);
  });

  it('reuses memory along a long chain of products', async () => {
    const depth = 12;
    const tape = trace({ a: f32(40, 40) }, ({ a }) => {
      let y = a;
      for (let k = 0; k < depth; k++) y = matmul(y, a);
      return { y };
    });
    const memory = await withPlan(tape, async (plan) => plan.memory);
    expect(memory).toBeLessThan(0.6 * depth * 40 * 40 * 4);
  });

  it('hands its memory back when it is released', async () => {
    const device = await openedDevice();
    (await compile(stepTape, device)).release();
    const held = device.allocatedBytes;
    (await compile(stepTape, device)).release();
    expect(device.allocatedBytes).toBe(held);
  });

  it('refuses a second release', async () => {
    const plan = await compile(stepTape, await openedDevice());
    plan.release();
    expect(() => plan.release()).toThrow(/released twice/);
  });

  it('carries whole numbers through a gather to where they are labels', async () => {
    const tape = trace({ labels: i32(5), batch: i32(3) }, ({ labels, batch }) => ({
      y: oneHot(gather(labels, batch), 4),
    }));
    await expectRight(tape, { labels: Int32Array.of(3, 0, 2, 1, 3), batch: Int32Array.of(4, 1, 1) });
  });

  it('reads whole numbers as whole numbers, and each output by its own type alone', async () => {
    const types = { labels: i32(3), batch: i32(2), a: f32(1) };
    const tape = trace(types, ({ labels, batch, a }) => ({ chosen: gather(labels, batch), y: exp(a) }));
    await withPlan(tape, async (plan) => {
      const inputs = { labels: Int32Array.of(7, -1, 9), batch: Int32Array.of(1, 2), a: Float32Array.of(0) };
      expect(await plan.run(inputs)).toEqual({ chosen: Int32Array.of(-1, 9), y: Float32Array.of(1) });
      expect(await plan.readIntegers('chosen')).toEqual(Int32Array.of(-1, 9));
      await expect(plan.read('chosen')).rejects.toThrow(/'chosen' is i32; read it with readIntegers/);
      await expect(plan.readIntegers('y')).rejects.toThrow(/'y' is f32; read it with read/);
    });
  });

  it('refuses to run with an input that was never written, and keeps one that was', async () => {
    const tape = trace({ a: f32(2), b: f32(2) }, ({ a, b }) => ({ y: add(a, b) }));
    await withPlan(tape, async (plan) => {
      await expect(plan.run({ a: Float32Array.of(1, 2) })).rejects.toThrow(/never written: b/);
      expect((await plan.run({ b: Float32Array.of(10, 20) })).y).toEqual(Float32Array.of(11, 22));
    });
  });

  it('refuses an input of the wrong length, type or name, and an unknown output', async () => {
    const tape = trace({ x: f32(2, 3), index: i32(2) }, ({ x, index }) => ({ y: gather(x, index) }));
    await withPlan(tape, async (plan) => {
      expect(() => plan.write('x', new Float32Array(5))).toThrow(ShapeError);
      expect(() => plan.write('x', new Float32Array(5))).toThrow(/'x' is f32\[2,3\], 6 numbers; 5 of f32/);
      expect(() => plan.write('x', new Int32Array(6))).toThrow(/6 of i32 were given/);
      expect(() => plan.write('index', new Float32Array(2))).toThrow(ShapeError);
      expect(() => plan.write('z', new Float32Array(6))).toThrow(/no input 'z'; the inputs are x, index/);
      await expect(plan.run({ z: new Float32Array(6) })).rejects.toThrow(ShapeError);
      await expect(plan.read('x')).rejects.toThrow(/no output 'x'; the outputs are y/);
    });
  });
});
