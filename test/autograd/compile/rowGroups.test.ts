import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lowerTape } from '../../../src/autograd/compile/lower.js';
import { scheduleTape } from '../../../src/autograd/compile/schedule.js';
import { gradient } from '../../../src/autograd/gradient.js';
import { interpret } from '../../../src/autograd/interpret.js';
import { avgPool2d } from '../../../src/autograd/ops/avgPool2d.js';
import { conv2d } from '../../../src/autograd/ops/conv2d.js';
import { add, exp, mul, relu, scale, sub } from '../../../src/autograd/ops/elementwise.js';
import {
  instanceNorm,
  meanProductRows,
  projectRows,
  reciprocalDeviation,
  standardiseRows,
} from '../../../src/autograd/ops/instanceNorm.js';
import { dot, max, mean, reshape, sum, sumAll } from '../../../src/autograd/ops/reduce.js';
import { slice } from '../../../src/autograd/ops/slice.js';
import { tanh } from '../../../src/autograd/ops/smooth.js';
import { f32, type Shape, sizeOf, type Tape } from '../../../src/autograd/tape.js';
import { type Tensor, trace } from '../../../src/autograd/trace.js';
import { tuningFor } from '../../../src/kernels/catalogue.js';
import { expectNear, numbers } from '../../support/compare.js';
import { useDevice } from '../../support/device.js';
import { runLowered, targetWith } from '../../support/lowered.js';

const openedDevice = useDevice();
const target = targetWith({ maximumBindings: 12 });

/** The names of each group's operations, with what is inlined into them left out. */
const groupsOf = (tape: Tape, changed = target): string[][] =>
  scheduleTape(tape, changed).units.flatMap((unit) =>
    'group' in unit ? [unit.group.members.map((line) => tape.operations[line]!.name)] : [],
  );

const types = { x: f32(4, 3, 6, 8), gamma: f32(3), beta: f32(3) };

/** Runs a tape on the device and holds it to its reference; `lowered` for more questions. */
async function expectReference(tape: Tape, changed = target) {
  const inputs = Object.fromEntries(
    Object.entries(tape.inputs).map(([name, line]) => [
      name,
      numbers(3, name, sizeOf(tape.operations[line]!.type.shape)),
    ]),
  );
  const { lowered, outputs } = await runLowered(await openedDevice(), tape, inputs, changed);
  const want = interpret(tape, inputs);
  for (const name of Object.keys(want))
    expectNear(outputs[name]!, want[name]!, { relative: 2e-5, absolute: 2e-6 }, name);
  return lowered;
}

describe('a row group', () => {
  it('is a whole block of normalisation, activation and pooling', async () => {
    const tape = trace(types, ({ x, gamma, beta }) => ({
      y: avgPool2d(relu(instanceNorm(x, gamma, beta)), { size: 2 }),
    }));
    expect(groupsOf(tape)).toEqual([['standardiseRows', 'relu', 'avgPool2d']]);
    const { dispatches, stays } = await expectReference(tape);
    expect(dispatches.map(({ kernel }) => kernel)).toEqual(['rowProgram']);
    // Only what is pooled has memory.
    expect(stays.map(({ bytes }) => bytes)).toEqual([4 * 4 * 3 * 3 * 4]);
  });

  it('is the gradient of that block as well, with the sums over the images added up in a second pass', async () => {
    const tape = trace({ ...types, c: f32(4, 3, 3, 4) }, ({ x, gamma, beta, c }) => {
      const y = avgPool2d(relu(instanceNorm(x, gamma, beta)), { size: 2 });
      const [d_x, d_gamma, d_beta] = gradient(y, [x, gamma, beta], { cotangent: c }) as Tensor[];
      return { y, d_x: d_x!, d_gamma: d_gamma!, d_beta: d_beta! };
    });
    const { dispatches } = await expectReference(tape);
    expect(dispatches.map(({ kernel }) => kernel)).toEqual(['rowProgram', 'channelSums']);
  });

  it('computes a sum once that several of its operations need', () => {
    const tape = trace({ x: f32(4, 3, 6, 8) }, ({ x }) => ({
      standardised: standardiseRows(x),
      rstd: reciprocalDeviation(x),
    }));
    const code = scheduleAndLower(tape)[0]!;
    // The mean and the variance.
    expect(code.match(/\bvar t\d+ = 0\.0;/g)).toHaveLength(2);
  });

  it('takes in a value that is an output and goes on', async () => {
    const tape = trace(types, ({ x, gamma, beta }) => {
      const normalised = instanceNorm(x, gamma, beta);
      return { normalised, y: sum(exp(normalised), [2, 3]) };
    });
    expect(groupsOf(tape)).toEqual([['standardiseRows', 'add', 'sum']]);
    await expectReference(tape);
  });

  it('does not reach around a convolution that reads its value', async () => {
    const tape = trace({ ...types, w: f32(3, 3, 1, 1) }, ({ x, gamma, beta, w }) => {
      const before = tanh(instanceNorm(x, gamma, beta));
      return { y: relu(standardiseRows(add(before, conv2d(before, w)))) };
    });
    expect(groupsOf(tape)).toEqual([
      ['standardiseRows', 'tanh'],
      ['add', 'standardiseRows', 'relu'],
    ]);
    await expectReference(tape);
  });

  it('does not use a sum over the images that it has not completed', async () => {
    const tape = trace({ x: f32(4, 3, 6, 8) }, ({ x }) => {
      const y = standardiseRows(exp(x));
      return { centred: relu(sub(y, mean(mul(y, y), [0, 2, 3]))) };
    });
    const groups = groupsOf(tape);
    for (const group of groups) expect(group.includes('sum') && group.includes('relu')).toBe(false);
    expect(groups.length).toBeGreaterThan(0);
    await expectReference(tape);
  });

  it('binds no more tensors than a kernel may', async () => {
    const names = Array.from({ length: 9 }, (_, k) => `a${k}`);
    const shape = [3, 2, 4, 4];
    const tape = trace(Object.fromEntries(names.map((name) => [name, f32(...shape)])), (inputs) => ({
      y: names.map((name) => standardiseRows(inputs[name]!)).reduce((total, term) => add(total, term)),
    }));
    for (const maximumBindings of [4, 6, 12]) {
      const changed = targetWith({ maximumBindings });
      const { dispatches } = await expectReference(tape, changed);
      for (const { ranges } of dispatches) expect(ranges.length).toBeLessThanOrEqual(maximumBindings);
      expect(dispatches.some(({ kernel }) => kernel === 'rowProgram')).toBe(true);
    }
  });

  it('binds a layer’s parameters once that are views of one input, and counts only what it reads of it', async () => {
    const tape = trace({ x: f32(4, 3, 6, 8), theta: f32(140) }, ({ x, theta }) => {
      const [gamma, beta] = [64, 128].map((start) =>
        slice(theta, { starts: [start], ends: [start + 3] }),
      ) as [Tensor, Tensor];
      return { y: relu(instanceNorm(x, gamma, beta)) };
    });
    const { dispatches } = await expectReference(tape, targetWith({ maximumBindings: 3 }));
    expect(dispatches.map(({ kernel, ranges }) => [kernel, ranges.length])).toEqual([['rowProgram', 3]]);
    expect(dispatches[0]!.ranges.find((range) => 'input' in range && range.input === 'theta')).toEqual({
      input: 'theta',
      offset: 64 * 4,
      bytes: 67 * 4,
      used: 6 * 4,
    });
  });

  it('keeps the numbers that others read of its planes in one piece of memory', async () => {
    const tape = trace({ x: f32(4, 3, 6, 8), w: f32(3, 3, 1, 1) }, ({ x, w }) => {
      const rows = [sum(x, [2, 3]), reciprocalDeviation(x), sum(relu(x), [2, 3])];
      return { y: rows.map((row) => conv2d(row, w)).reduce((total, term) => add(total, term)), z: relu(x) };
    });
    const { dispatches } = await expectReference(tape, targetWith({ maximumBindings: 4 }));
    expect(dispatches[0]!.kernel).toBe('rowProgram');
    expect(dispatches[0]!.ranges).toHaveLength(3);
  });

  it('makes no more sums over the images than the pass that completes them may bind', async () => {
    const tape = trace({ x: f32(4, 3, 6, 8) }, ({ x }) =>
      Object.fromEntries([1, 2, 3, 4, 5].map((k) => [`y${k}`, sum(exp(scale(x, k)), [0, 2, 3])])),
    );
    const { dispatches } = await expectReference(tape, targetWith({ maximumBindings: 4 }));
    for (const { ranges } of dispatches) expect(ranges.length).toBeLessThanOrEqual(4);
    expect(dispatches.some(({ kernel }) => kernel === 'channelSums')).toBe(true);
  });

  it('makes the same groups on a device that binds more, so that sums keep their order', () => {
    const names = Array.from({ length: 14 }, (_, k) => `a${k}`);
    const tape = trace(Object.fromEntries(names.map((name) => [name, f32(3, 2, 4, 4)])), (inputs) => ({
      y: names.map((name) => standardiseRows(inputs[name]!)).reduce((total, term) => add(total, term)),
    }));
    const { bindings } = tuningFor('software').rowProgram!;
    const [few, many] = [bindings, 2 * bindings].map((maximumBindings) =>
      groupsOf(tape, targetWith({ maximumBindings })),
    );
    expect(few!.length).toBeGreaterThan(0);
    expect(many).toEqual(few);
  });

  it.each<[string, Shape, (x: Tensor) => Tensor]>([
    ['windows leave pixels out', [4, 3, 7, 8], (x) => avgPool2d(standardiseRows(x), { size: 2 })],
    ['windows overlap', [4, 3, 6, 8], (x) => avgPool2d(standardiseRows(x), { size: 3, stride: 1 })],
    [
      'windows hang over the border',
      [4, 3, 6, 8],
      (x) => avgPool2d(standardiseRows(x), { size: 2, padding: 1 }),
    ],
    ['a sum runs over a part of the plane', [4, 3, 6, 8], (x) => sum(standardiseRows(x), [3])],
    ['a sum runs over the channels', [4, 3, 6, 8], (x) => sum(standardiseRows(x), [1, 2, 3])],
    ['a maximum is taken', [4, 3, 6, 8], (x) => max(standardiseRows(x), [2, 3])],
    ['the rest has other planes', [4, 3, 6, 8], (x) => exp(exp(reshape(standardiseRows(x), [4, 6, 3, 8])))],
    ['there are no planes', [4, 3], (x) => exp(sum(exp(x), [0]))],
  ])('leaves an operation out where %s', async (_, shape, build) => {
    const tape = trace({ x: f32(...shape) }, ({ x }) => ({ y: build(x) }));
    expect(groupsOf(tape)).toEqual([]);
    await expectReference(tape);
  });

  it('leaves few large planes to kernels that share them among many invocations', () => {
    const tapeOf = (shape: Shape): Tape =>
      trace({ x: f32(...shape) }, ({ x }) => ({ y: relu(standardiseRows(x)) }));
    const { planes, elements } = tuningFor('software').rowProgram!;
    expect(groupsOf(tapeOf([1, 1, 1, elements + 1]))).toEqual([]);
    expect(groupsOf(tapeOf([1, planes, 1, elements + 1]))).toHaveLength(1);
    expect(groupsOf(tapeOf([1, 1, 1, elements]))).toHaveLength(1);
  });

  it('is not made for hardware, where one invocation a plane would be too few', () => {
    const tape = trace({ x: f32(4, 3, 6, 8) }, ({ x }) => ({ y: relu(standardiseRows(x)) }));
    expect(groupsOf(tape, targetWith({ tuning: tuningFor('hardware') }))).toEqual([]);
  });
});

function scheduleAndLower(tape: Tape): string[] {
  return lowerTape(tape, target).dispatches.map(({ code }) => code);
}

/** A chain of random operations that are local to planes, as numbers to draw its steps from. */
interface RandomChain {
  readonly shape: Shape;
  readonly window: readonly [number, number];
  readonly steps: readonly number[];
}

const randomChains = fc
  .record({
    N: fc.integer({ min: 1, max: 4 }),
    C: fc.integer({ min: 1, max: 5 }),
    coarse: fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })),
    window: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
    steps: fc.array(fc.nat({ max: 9 }), { minLength: 2, maxLength: 6 }),
  })
  .map(
    ({ N, C, coarse, window, steps }): RandomChain => ({
      shape: [N, C, coarse[0] * window[0], coarse[1] * window[1]],
      window,
      steps,
    }),
  );

/** Applies the steps to x; γ is [C], u has the shape of x. */
function buildChain({ shape, window, steps }: RandomChain, inputs: Record<string, Tensor>): Tensor {
  const { x, gamma, u } = inputs as { x: Tensor; gamma: Tensor; u: Tensor };
  const perChannel = reshape(gamma, [shape[1]!, 1, 1]);
  const pooled = (a: Tensor): Tensor => avgPool2d(a, { size: window });
  const spread = (a: Tensor): Tensor => gradient(pooled(u), [u], { cotangent: a })[0]!;
  let value = x;
  for (const step of steps) {
    const next = [
      () => standardiseRows(value, 0.1),
      () => relu(value),
      () => mul(value, perChannel),
      () => add(value, mul(reciprocalDeviation(value, 0.1), u)),
      () => projectRows(value, standardiseRows(u, 0.1)),
      () => add(u, mul(value, meanProductRows(value, u))),
      () => spread(tanh(pooled(value))),
      () => sub(value, mean(value, [2, 3])),
      () => tanh(add(value, u)),
      () => add(value, scale(sum(mul(value, u), [0, 2, 3]), 1 / sizeOf(shape))),
    ];
    value = next[step]!();
  }
  return value;
}

describe('random chains that are local to planes', () => {
  const inputTypes = ({ shape, window }: RandomChain) => {
    const [N, C, H, W] = shape as [number, number, number, number];
    const small = f32(N, C, H / window[0], W / window[1]);
    return { x: f32(...shape), gamma: f32(C), u: f32(...shape), c: small };
  };
  /** What the chain gives after pooling, and the first and second derivatives. */
  const tapeOf = (chain: RandomChain): Tape =>
    trace(inputTypes(chain), (inputs) => {
      const y = avgPool2d(buildChain(chain, inputs), { size: chain.window });
      const wrt = [inputs.x!, inputs.gamma!, inputs.u!];
      const first = gradient(y, wrt, { cotangent: inputs.c!, unconnected: 'zero' });
      const along = add(dot(first[0]!, inputs.u!), sumAll(mul(first[1]!, inputs.gamma!)));
      const second = gradient(along, wrt, { unconnected: 'zero' });
      return {
        y,
        ...Object.fromEntries(first.map((tensor, k) => [`first${k}`, tensor])),
        ...Object.fromEntries(second.map((tensor, k) => [`second${k}`, tensor])),
      };
    });

  it('give their references, with first and second derivatives', async () => {
    let grouped = 0;
    await fc.assert(
      fc.asyncProperty(randomChains, fc.constantFrom(5, 8, 12), async (chain, maximumBindings) => {
        const tape = tapeOf(chain);
        const changed = targetWith({ maximumBindings });
        const inputs = Object.fromEntries(
          Object.entries(inputTypes(chain)).map(([name, { shape }]) => [
            name,
            numbers(5, name, sizeOf(shape)),
          ]),
        );
        const { lowered, outputs } = await runLowered(await openedDevice(), tape, inputs, changed);
        const want = interpret(tape, inputs);
        for (const name of Object.keys(want)) {
          expectNear(outputs[name]!, want[name]!, { relative: 1e-4, absolute: 1e-4 }, name);
        }
        if (lowered.dispatches.some(({ kernel }) => kernel === 'rowProgram')) grouped++;
      }),
      { seed: 1, numRuns: 40 },
    );
    expect(grouped).toBeGreaterThan(30);
  });
});
