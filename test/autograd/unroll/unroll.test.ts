import { beforeAll, describe, expect, it } from 'vitest';
import { add, mul, sub } from '../../../src/autograd/ops/elementwise.js';
import { dropout } from '../../../src/autograd/ops/random.js';
import { sumAll } from '../../../src/autograd/ops/reduce.js';
import { f32, i32 } from '../../../src/autograd/tape.js';
import type { Tensor } from '../../../src/autograd/trace.js';
import { interpretUnroll } from '../../../src/autograd/unroll/interpretUnroll.js';
import { truncationCosines } from '../../../src/autograd/unroll/observer.js';
import type { MemoryMode, UnrollDescription } from '../../../src/autograd/unroll/options.js';
import type { InnerOptimiser, OuterObjective } from '../../../src/autograd/unroll/problem.js';
import { Unroll } from '../../../src/autograd/unroll/unroll.js';
import { DeviceError, ShapeError } from '../../../src/errors.js';
import type { Device } from '../../../src/gpu/device.js';
import { streamWords } from '../../../src/kernels/philox.js';
import { mse, softmaxCrossEntropy } from '../../../src/nn/losses.js';
import { adam } from '../../../src/nn/optimisers/adam.js';
import { sgd } from '../../../src/nn/optimisers/sgd.js';
import { expectNear, inner, numbers } from '../../support/compare.js';
import { useDevice } from '../../support/device.js';
import {
  classification,
  labels,
  manySteps,
  model,
  plain,
  regression,
  sgdCase,
  values,
} from '../../support/tinyUnroll.js';
import {
  createUnroll,
  type DeviceResult,
  readUnroll,
  runUnroll,
  submitUnroll,
} from '../../support/unroll.js';

const openedDevice = useDevice();
let device: Device;
beforeAll(async () => {
  device = await openedDevice();
});

/** Float32 through a few steps and back. */
const TOLERANCE = { relative: 2e-5, absolute: 1e-7 };

const withoutMemory = ({ memory: _memory, keptSteps: _kept, observation: _seen, ...numbers }: DeviceResult) =>
  numbers;

function expectSame(
  got: DeviceResult,
  want: Pick<DeviceResult, 'loss'> & {
    readonly innerLosses: ArrayLike<number>;
    readonly gradients: Readonly<Record<string, ArrayLike<number>>>;
    readonly adjointAtStart: ArrayLike<number>;
  },
  tolerance = TOLERANCE,
): void {
  expectNear([got.loss], [want.loss], tolerance, 'the loss');
  expectNear(got.innerLosses, want.innerLosses, tolerance, 'the inner losses');
  expectNear(got.adjointAtStart, want.adjointAtStart, tolerance, 'the adjoint');
  expect(Object.keys(got.gradients)).toEqual(Object.keys(want.gradients));
  for (const [name, wanted] of Object.entries(want.gradients)) {
    expectNear(got.gradients[name]!, wanted, tolerance, `the gradient by ${name}`);
  }
}

describe('Unroll', () => {
  it.each([
    ['plain SGD', {}],
    ['momentum', { momentum: true }],
    ['weight decay', { weightDecay: true }],
    ['Nesterov momentum and weight decay', { momentum: true, nesterov: true, weightDecay: true }],
  ])('gives what the float64 evaluation of the same tape gives, through %s', async (_, settings) => {
    const { description, values: at } = sgdCase(settings);
    const got = await runUnroll(device, description, at);
    const want = interpretUnroll(description, at);
    expectSame(got, want);
    expectNear(got.end, want.path[3]!, TOLERANCE, 'θ_N');
  });

  it('goes through Adam', async () => {
    const description = { ...plain, optimiser: adam({ epsilon: 1e-2 }) };
    const at = { ...values, inputs: { ...values.inputs, learningRate: [0.02] } };
    const want = interpretUnroll(description, at);
    for (const memory of ['recompute', 'full'] as const) {
      expectSame(await runUnroll(device, description, at, { memory }), want, {
        relative: 1e-4,
        absolute: 1e-7,
      });
    }
  });

  it('goes through an optimiser whose state is θ as it was before', async () => {
    const remembering: InnerOptimiser = {
      name: 'remembering',
      hyperparameters: ['learningRate', 'momentum'],
      state: {
        older: { extent: 'parameters', start: 0.1, isDifferentiable: true },
        previous: { extent: 'parameters', start: 0, isDifferentiable: true },
      },
      step: ({
        theta,
        gradient,
        state: { older, previous },
        hyperparameters: { learningRate, momentum },
      }) => ({
        theta: add(sub(theta, mul(learningRate!, gradient)), mul(momentum!, sub(theta, older!))),
        state: { older: previous!, previous: theta },
      }),
    };
    const description = { ...plain, optimiser: remembering };
    const at = { ...values, inputs: { ...values.inputs, momentum: [0.3] } };
    const want = interpretUnroll(description, at);
    for (const memory of ['recompute', 'full'] as const) {
      expectSame(await runUnroll(device, description, at, { memory }), want);
    }
  });

  it('draws the dropout masks of a step again on the way back, and asks for the streams', async () => {
    const problem = {
      ...regression,
      loss: (theta, { images, targets }, { stream }) =>
        mse(model.forward(theta, dropout(images!, stream, 0.3)).output, targets!),
    } satisfies UnrollDescription['problem'];
    const streams = [0, 1, 2].map((index) => streamWords({ seed: 1, purpose: 'test/dropout', index }));
    const description = { ...plain, problem };
    const at = { ...values, streams };
    for (const memory of ['recompute', 'full'] as const) {
      expectSame(await runUnroll(device, description, at, { memory }), interpretUnroll(description, at));
    }
    await expect(runUnroll(device, description, values)).rejects.toThrow(
      /draws random numbers; give 3 streams/,
    );
  });

  it('gives a learning rate of each step its own gradient', async () => {
    const at = { ...values, inputs: { ...values.inputs, learningRate: [0.25, 0.1, 0.3] } };
    const description = { ...plain, perStep: ['learningRate'] };
    expectSame(await runUnroll(device, description, at), interpretUnroll(description, at));
  });

  it('takes labels, an outer loss on a batch of its own, and weights over the path', async () => {
    const outer: OuterObjective = {
      inputs: { validationImages: f32(3, 1, 6, 6), validationLabels: i32(3) },
      loss: (theta, { validationImages, validationLabels }) =>
        softmaxCrossEntropy(model.forward(theta, validationImages!).output, validationLabels!),
    };
    const { images, learningRate } = values.inputs as Record<string, Float32Array>;
    const at = {
      ...values,
      inputs: { images: images!, labels, learningRate: learningRate! },
      outer: { validationImages: numbers(3, 'validation', 108), validationLabels: Int32Array.of(0, 3, 1) },
    };
    for (const pathWeights of [
      [0, 0, 1],
      [0.5, 0, 2],
      [1, 1, 0],
    ]) {
      for (const truncate of [1, 3]) {
        const description = { ...plain, problem: classification, outer, pathWeights, truncate };
        for (const memory of ['recompute', 'full'] as const) {
          expectSame(await runUnroll(device, description, at, { memory }), interpretUnroll(description, at));
        }
      }
    }
  });

  it('keeps every step of the path', async () => {
    const unroll = await createUnroll(device, plain, values);
    submitUnroll(unroll, values);
    const { path } = interpretUnroll(plain, values);
    for (const [step, theta] of path.entries()) {
      expectNear(await unroll.parametersAt(step), theta, TOLERANCE, `step ${step}`);
    }
    await expect(unroll.parametersAt(4)).rejects.toThrow(/θ_4 was not kept; the path holds θ_0 to θ_3/);
    unroll.release();
  });

  it('gives the same bits when it is submitted again, and others for other batches', async () => {
    const unroll = await createUnroll(device, plain, values);
    const once = async (batches: readonly Int32Array[]) => {
      submitUnroll(unroll, { ...values, batches });
      return await readUnroll(unroll, 3);
    };
    const first = await once(values.batches);
    const other = await once([...values.batches].reverse());
    expect(await once(values.batches)).toEqual(first);
    expect(other.gradients.images).not.toEqual(first.gradients.images);
    unroll.release();
  });
});

describe('the memory modes', () => {
  const settings = { 'plain SGD': {}, 'momentum and weight decay': { momentum: true, weightDecay: true } };
  const cases = [1, 2, 7, 40].flatMap((steps) => Object.keys(settings).map((name) => [steps, name] as const));

  it.each(cases)('agree with each other and with float64 for N = %i, %s', async (steps, name) => {
    const { description, values: at } = sgdCase(settings[name as keyof typeof settings]);
    const unrolled = { ...description, steps };
    const many = { ...manySteps(steps), inputs: { ...at.inputs, learningRate: [0.05] } };
    const recompute = await runUnroll(device, unrolled, many);
    const full = await runUnroll(device, unrolled, many, { memory: 'full' });
    const between = Math.floor((recompute.memory + full.memory) / 2) + 40_000;
    const mixed = await runUnroll(device, unrolled, many, { memory: { mixed: between } });
    expect([recompute.keptSteps, full.keptSteps]).toEqual([0, steps]);
    if (steps === 40) {
      expect(mixed.keptSteps).toBeGreaterThan(0);
      expect(mixed.keptSteps).toBeLessThan(steps);
    }
    expect(mixed.memory).toBeLessThanOrEqual(between);
    const rounding = { relative: 1e-5, absolute: 1e-7 };
    expectSame(full, recompute, rounding);
    expectSame(mixed, recompute, rounding);
    const want = interpretUnroll(unrolled, many);
    for (const got of [recompute, full, mixed]) expectSame(got, want, { relative: 1e-4, absolute: 1e-7 });
  });

  it('recompute grows by the stored parameters and the batches alone, full by the intermediates too', async () => {
    const memoryOf = async (steps: number, memory: MemoryMode): Promise<number> => {
      const unroll = await createUnroll(device, { ...plain, steps }, manySteps(steps), { memory });
      const held = unroll.memory;
      unroll.release();
      return held;
    };
    const theta = regression.parameters * 4;
    const growth = (await memoryOf(80, 'recompute')) - (await memoryOf(5, 'recompute'));
    // Beside θ: two losses and a weight a step.
    expect(growth).toBeGreaterThanOrEqual(75 * theta);
    expect(growth).toBeLessThanOrEqual(75 * (theta + 12) + 256);
    expect((await memoryOf(80, 'full')) - (await memoryOf(5, 'full'))).toBeGreaterThan(2 * growth);
  });

  it('mixed keeps as many steps as its budget holds, and refuses one that cannot be kept to', async () => {
    const memory = async (mode: MemoryMode) => {
      const unroll = await createUnroll(device, { ...plain, steps: 40 }, manySteps(40), { memory: mode });
      const { memory, keptSteps } = unroll;
      unroll.release();
      return { memory, keptSteps };
    };
    const recompute = await memory('recompute');
    const full = await memory('full');
    expect(await memory({ mixed: full.memory })).toEqual(full);
    expect(await memory({ mixed: recompute.memory })).toEqual(recompute);
    let kept = 0;
    for (const share of [0.5, 0.7, 0.9]) {
      const budget = Math.round(share * full.memory);
      const mixed = await memory({ mixed: budget });
      expect(mixed.memory).toBeLessThanOrEqual(budget);
      expect(mixed.keptSteps).toBeGreaterThan(kept);
      kept = mixed.keptSteps;
    }
    expect(kept).toBeLessThan(40);
    await expect(memory({ mixed: recompute.memory - 1 })).rejects.toThrow(DeviceError);
    await expect(memory({ mixed: recompute.memory - 1 })).rejects.toThrow(/budget of .* is too small.*needs/);
  });
});

describe('observation', () => {
  it('changes no bit of the result, and is what the float64 evaluation sees', async () => {
    const { description, values: at } = sgdCase({ momentum: true, weightDecay: true });
    for (const memory of ['recompute', 'full'] as const) {
      const unseen = await runUnroll(device, description, at, { memory });
      const seen = await runUnroll(device, description, at, {
        memory,
        observe: ['adjointNorms', 'contributions'],
      });
      expect(withoutMemory(seen)).toEqual(withoutMemory(unseen));
      expect(unseen.observation).toEqual({});
      const want = interpretUnroll(description, at);
      expectNear(seen.observation.adjointNorms!, want.adjointNorms, TOLERANCE);
      for (const name of description.wrt!) {
        seen.observation.contributions![name]!.forEach((part, step) => {
          expectNear(part, want.contributions[name]![step]!, TOLERANCE, `${name} at step ${step}`);
        });
      }
    }
  });

  it('gives the cosine of every truncation to the exact gradient', async () => {
    const { observation } = await runUnroll(device, plain, values, { observe: ['contributions'] });
    const cosines = truncationCosines(observation.contributions!.images!);
    const exact = interpretUnroll(plain, values).gradients.images!;
    const cosine = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
      inner(a, b) / Math.sqrt(inner(a, a) * inner(b, b));
    const want = [1, 2, 3].map((truncate) =>
      cosine(interpretUnroll({ ...plain, truncate }, values).gradients.images!, exact),
    );
    expectNear(cosines, want, { relative: 1e-5, absolute: 1e-6 });
    expect(cosines[2]).toBeCloseTo(1, 6);
    expect(cosines[0]).toBeLessThan(0.999);
  });

  it('leaves NaN and zeros where a truncated sweep does not come', async () => {
    const { observation, gradients } = await runUnroll(device, { ...plain, truncate: 2 }, values, {
      observe: ['adjointNorms', 'contributions'],
    });
    const norms = [...observation.adjointNorms!];
    expect(norms.map(Number.isNaN)).toEqual([true, false, false, false]);
    expect(observation.contributions!.images![0]!.every((x) => x === 0)).toBe(true);
    const want = interpretUnroll({ ...plain, truncate: 2 }, values);
    expectNear(gradients.images!, want.gradients.images!, TOLERANCE);
  });
});

describe('Unroll refuses', () => {
  const attempt = (changes: object) =>
    Unroll.create({ ...plain, device, batchSizes: [3, 2], ...changes } as Parameters<
      typeof Unroll.create
    >[0]);

  it.each([
    [{ steps: 0 }, /steps is 0/],
    [{ batchSizes: [] }, /batchSizes is empty/],
    [{ batchSizes: [2.5] }, /batch size is 2.5/],
    [{ truncate: 4 }, /truncate is 4.*1 to the 3 steps/],
    [{ pathWeights: [1] }, /pathWeights has 1 entries.*3/],
    [{ pathWeights: [0, 0, 0] }, /all 0/],
    [{ memory: { mixed: -1 } }, /mixed is -1/],
    [{ wrt: ['pixels'] }, /wrt names 'pixels', which is not known; .*images, targets, learningRate/],
    [{ problem: classification, wrt: ['labels'] }, /'labels', which holds whole numbers/],
    [{ perStep: ['images'] }, /perStep names 'images', which is no hyperparameter/],
    [{ problem: { ...regression, hyperparameters: { images: f32() } } }, /'images' names both/],
    [
      { problem: { ...regression, hyperparameters: { learningRate: f32(2) } } },
      /'learningRate' names a hyperparameter both of the problem and of sgd; rename/,
    ],
    [{ optimiser: { ...sgd(), state: { theta: sgd({ momentum: true }).state.buffer } } }, /called 'theta'/],
    [{ wrt: ['images', 'images'] }, /wrt names 'images' twice/],
    [
      { problem: { ...regression, tables: { ...regression.tables, target: f32(5, 4) } } },
      /outer objective's input 'target' is named like something of the inner problem/,
    ],
    [
      { outer: { inputs: { learningRate: f32() }, loss: (theta: Tensor) => sumAll(theta) } },
      /outer objective's input 'learningRate' is named like/,
    ],
  ])('%j', async (changes, message) => {
    await expect(attempt(changes)).rejects.toThrow(ShapeError);
    await expect(attempt(changes)).rejects.toThrow(message);
  });

  it('a gradient by what the step does not read, rather than giving zeros', async () => {
    const problem = { ...regression, tables: { ...regression.tables, unused: f32(5, 2) } };
    await expect(attempt({ problem })).rejects.toThrow(
      /^unroll: the step does not depend differentiably on 'unused'; leave it out of wrt/,
    );
  });

  it('the adjoint of a state that changes nothing, and lets it be where none is asked for', async () => {
    const optimiser = sgd();
    const counted = (isDifferentiable: boolean): InnerOptimiser => ({
      ...optimiser,
      state: { count: { extent: 'scalar', start: 0, isDifferentiable } },
      step(given) {
        const { theta } = optimiser.step(given);
        return { theta, state: { count: sumAll(theta) } };
      },
    });
    await expect(attempt({ optimiser: counted(true) })).rejects.toThrow(
      /^unroll: the step does not depend differentiably on the state 'count' of sgd; set its isDifferentiable/,
    );
    const got = await runUnroll(device, { ...plain, optimiser: counted(false) }, values);
    expect(withoutMemory(got)).toEqual(withoutMemory(await runUnroll(device, plain, values)));
  });

  it('trajectories that do not fit, with the numbers met and wanted', async () => {
    const unroll = await createUnroll(device, plain, values);
    const { start, batches, outer } = values;
    expect(() => unroll.submit({ start, batches, outer })).toThrow(
      /never written: images, targets, learningRate/,
    );
    submitUnroll(unroll, values);
    expect(() => unroll.submit({ start, batches: batches.slice(1) })).toThrow(/3 steps.*2 batches/);
    const odd = [batches[0]!, batches[1]!, Int32Array.of(0)];
    expect(() => unroll.submit({ start, batches: odd })).toThrow(/batch of 1; batch sizes are 3, 2/);
    const beyond = [batches[0]!, Int32Array.of(4, 5), batches[2]!];
    expect(() => unroll.submit({ start, batches: beyond })).toThrow(
      /batch 1 names row 5, but table 'images' has 5 rows/,
    );
    expect(() => interpretUnroll(plain, { ...values, batches: beyond })).toThrow(/batch 1 names row 5/);
    expect(() => unroll.submit({ start: new Float32Array(7), batches })).toThrow(/start has 7 elements/);
    expect(() => unroll.submit({ start, batches, outer: { target: new Float32Array(7) } })).toThrow(
      ShapeError,
    );
    expect(() => unroll.write('pixels', start)).toThrow(/no input 'pixels'; the inputs are images/);
    expect(() => unroll.write('images', Int32Array.of(1))).toThrow(/needs 180 f32 numbers, but 1 of i32/);
    await expect(unroll.gradient('momentum')).rejects.toThrow(/no gradient is taken by 'momentum'/);
    unroll.release();
  });
});
