import { describe, expect, it } from 'vitest';
import { lowerTape } from '../../../src/autograd/compile/lower.js';
import { gradient } from '../../../src/autograd/gradient.js';
import { interpret } from '../../../src/autograd/interpret.js';
import { less, where } from '../../../src/autograd/ops/comparisons.js';
import { conv2d } from '../../../src/autograd/ops/conv2d.js';
import { add, exp, log, mul, relu, scale, shift, sign, sub } from '../../../src/autograd/ops/elementwise.js';
import { matmul } from '../../../src/autograd/ops/matmul.js';
import { dot, max, reshape, sum, sumAll } from '../../../src/autograd/ops/reduce.js';
import { f32, type Tape } from '../../../src/autograd/tape.js';
import { type Tensor, trace } from '../../../src/autograd/trace.js';
import { kernelNames, tuningFor } from '../../../src/kernels/catalogue.js';
import { convNet } from '../../../src/nn/convNet.js';
import { mse } from '../../../src/nn/losses.js';
import { initialParameters } from '../../../src/nn/model.js';
import { expectNear, numbers } from '../../support/compare.js';
import { useDevice } from '../../support/device.js';
import { runLowered, targetWith } from '../../support/lowered.js';
import { targetWithTile } from '../../support/tiling.js';

const openedDevice = useDevice();
const kernelsOf = (tape: Tape): string[] =>
  lowerTape(tape, targetWith()).dispatches.map(({ kernel }) => kernel);

/** θ, images and targets of a small student, and the tape of its loss and gradient. */
function studentStep() {
  const model = convNet({ image: [3, 7, 9], depth: 1, width: 9, output: 5 });
  const types = { theta: f32(model.parameters.total), x: f32(4, 3, 7, 9), y: f32(4, 5) };
  const tape = trace(types, ({ theta, x, y }) => {
    const loss = mse(model.forward(theta, x).output, y);
    const [gradientOfTheta, gradientOfX] = gradient(loss, [theta, x]) as [Tensor, Tensor];
    return { loss, gradientOfTheta, gradientOfX };
  });
  const inputs = {
    theta: initialParameters(model.parameters, { seed: 3, purpose: 'student', index: 0 }),
    x: numbers(1, 'x', 4 * 3 * 7 * 9),
    y: numbers(1, 'y', 20),
  };
  return { tape, inputs };
}

describe('fusion', () => {
  it('makes one dispatch of a chain of elementwise operations', () => {
    const tape = trace({ a: f32(3, 5), b: f32(5) }, ({ a, b }) => ({
      y: exp(scale(relu(sub(mul(a, b), shift(a, 1))), -0.5)),
    }));
    expect(kernelsOf(tape)).toEqual(['elementwise']);
  });

  it('takes a chain into the reduction that sums it', () => {
    const tape = trace({ a: f32(7), b: f32(7) }, ({ a, b }) => ({ y: dot(relu(a), exp(b)) }));
    expect(kernelsOf(tape)).toEqual(['reduce']);
  });

  it('computes a value once that several consumers read, when it costs more than a load', () => {
    const tape = trace({ a: f32(7) }, ({ a }) => {
      const shared = exp(a);
      return { y: relu(shared), z: log(shared) };
    });
    expect(kernelsOf(tape)).toEqual(['elementwise', 'elementwise', 'elementwise']);
  });

  it('repeats a comparison with a number rather than storing it, but not one of two tensors', () => {
    const tapeWith = (mask: (a: Tensor, b: Tensor) => Tensor) =>
      trace({ a: f32(7), b: f32(7) }, ({ a, b }) => ({
        y: mul(mask(a, b), b),
        total: sum(where(mask(a, b), a, 0)),
      }));
    expect(kernelsOf(tapeWith((a) => less(a, 0.5)))).toEqual(['elementwise', 'reduce']);
    expect(kernelsOf(tapeWith((a) => sign(a)))).toEqual(['elementwise', 'reduce']);
    expect(kernelsOf(tapeWith(less))).toEqual(['elementwise', 'elementwise', 'reduce']);
  });

  it('stores a value that is an output although its consumer could compute it', () => {
    const tape = trace({ a: f32(7) }, ({ a }) => {
      const e = exp(a);
      return { e, y: relu(e) };
    });
    expect(kernelsOf(tape)).toEqual(['elementwise', 'elementwise']);
  });

  it('cuts a chain that reads more tensors than a kernel may bind, and stays right', async () => {
    const names = Array.from({ length: 11 }, (_, k) => `a${k}`);
    const tape = trace(Object.fromEntries(names.map((name) => [name, f32(2, 3)])), (inputs) => ({
      y: names.map((name) => exp(inputs[name]!)).reduce((total, term) => add(total, term)),
      total: sumAll(names.map((name) => inputs[name]!).reduce((total, term) => mul(total, term))),
    }));
    const inputs = Object.fromEntries(names.map((name) => [name, numbers(1, name, 6)]));
    const target = targetWith({ maximumBindings: 4 });
    const { lowered, outputs } = await runLowered(await openedDevice(), tape, inputs, target);
    const want = interpret(tape, inputs);
    expect(lowered.dispatches.length).toBeGreaterThan(2);
    for (const { ranges } of lowered.dispatches) expect(ranges.length).toBeLessThanOrEqual(4);
    expectNear(outputs.y!, want.y!);
    expectNear(outputs.total!, want.total!);
  });

  it('reads operands of other shapes where a chain broadcasts them', async () => {
    const types = { a: f32(3, 1, 5), b: f32(4, 1), c: f32(5), d: f32() };
    const tape = trace(types, ({ a, b, c, d }) => {
      const inner = mul(scale(a, 2), shift(b, 1));
      const y = add(inner, mul(c, d));
      return { y, rows: sum(mul(y, b), [2]), columns: sum(mul(y, c), [0, 1]), middle: max(y, [1]) };
    });
    const inputs = {
      a: numbers(1, 'a', 15),
      b: numbers(1, 'b', 4),
      c: numbers(1, 'c', 5),
      d: numbers(1, 'd', 1),
    };
    const { outputs } = await runLowered(await openedDevice(), tape, inputs, targetWith());
    const want = interpret(tape, inputs);
    for (const name of Object.keys(want)) expectNear(outputs[name]!, want[name]!, undefined, name);
  });
});

describe('targets', () => {
  it('folds a launch of more workgroups than one dimension holds', async () => {
    const tape = trace({ a: f32(17, 70), x: f32(2, 3, 9, 17), w: f32(9, 3, 3, 3) }, ({ a, x, w }) => ({
      product: matmul(a, a, { transposeB: true }),
      convolved: relu(conv2d(x, w, { padding: 1 })),
      strided: conv2d(x, w, { padding: 1, stride: 2 }),
      sums: sum(exp(a), [1]),
    }));
    const inputs = {
      a: numbers(1, 'a', 17 * 70),
      x: numbers(1, 'x', 2 * 3 * 9 * 17),
      w: numbers(1, 'w', 9 * 27),
    };
    const target = targetWith({ maximumWorkgroups: 3 });
    const { lowered, outputs } = await runLowered(await openedDevice(), tape, inputs, target);
    const want = interpret(tape, inputs);
    for (const { workgroups } of lowered.dispatches) expect(workgroups[0]).toBeLessThanOrEqual(3);
    expect(lowered.dispatches.some(({ workgroups }) => workgroups[1] > 1)).toBe(true);
    for (const name of Object.keys(want)) expectNear(outputs[name]!, want[name]!, undefined, name);
  });

  it('covers every invocation when folded, whatever the count', () => {
    const tape = trace({ a: f32(1000, 7) }, ({ a }) => ({ y: sum(exp(a), [1]) }));
    const workgroup = tuningFor('software').workgroup.reduce;
    for (const maximumWorkgroups of [1, 2, 5, 7, 62, 63, 64]) {
      const [dispatch] = lowerTape(tape, targetWith({ maximumWorkgroups })).dispatches;
      const [columns, rows] = dispatch!.workgroups;
      expect(columns * rows * workgroup).toBeGreaterThanOrEqual(1000);
      expect(columns).toBeLessThanOrEqual(maximumWorkgroups);
    }
  });

  it.each([
    ['the block sizes for software devices', targetWith()],
    ['the block sizes for hardware devices', targetWith({ tuning: tuningFor('hardware') })],
    ['every product on tiles', targetWithTile(4)],
  ])('gives the float64 gradient with %s', async (_, target) => {
    const { tape, inputs } = studentStep();
    const { outputs } = await runLowered(await openedDevice(), tape, inputs, target);
    const want = interpret(tape, inputs);
    const tolerance = { relative: 2e-5, absolute: 1e-6 };
    for (const name of Object.keys(want)) expectNear(outputs[name]!, want[name]!, tolerance, name);
  });

  it('names each dispatch by a kernel of the catalogue and the operation it works for', () => {
    const { tape } = studentStep();
    const { dispatches } = lowerTape(tape, targetWith());
    const operations = new Set(tape.operations.map(({ name }) => name));
    for (const { kernel, operation } of dispatches) {
      expect(kernelNames).toContain(kernel);
      expect(operations).toContain(operation);
    }
  });
});

describe('views', () => {
  it('cost nothing where the device can bind them where they lie', () => {
    const tape = trace({ a: f32(4, 6) }, ({ a }) => ({ y: exp(reshape(a, [24])) }));
    expect(kernelsOf(tape)).toEqual(['elementwise']);
  });
});
