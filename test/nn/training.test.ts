import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gradient } from '../../src/autograd/gradient.js';
import { interpret } from '../../src/autograd/interpret.js';
import { matmul } from '../../src/autograd/ops/matmul.js';
import { reshape } from '../../src/autograd/ops/reduce.js';
import { f32 } from '../../src/autograd/tape.js';
import { type Tensor, trace } from '../../src/autograd/trace.js';
import { ShapeError } from '../../src/errors.js';
import { permutation } from '../../src/kernels/philox.js';
import { releaseTraining, type TrainingImages, uploadTraining } from '../../src/nn/deviceImages.js';
import { mse, softmaxCrossEntropy } from '../../src/nn/losses.js';
import { sgdStep } from '../../src/nn/optimisers/sgd.js';
import { batchSizesOf, splitBatches, Trainer } from '../../src/nn/training.js';
import { expectNear, numbers } from '../support/compare.js';
import { useDevice } from '../support/device.js';

const openedDevice = useDevice();

const ROWS = 22;
const BATCH = 8;
const [INPUTS, OUTPUTS] = [5, 3];
const images = numbers(1, 'images', ROWS * INPUTS);
const wanted = numbers(1, 'wanted', OUTPUTS * INPUTS);
/** Targets that a linear map gives exactly. */
const targets = Float32Array.from({ length: ROWS * OUTPUTS }, (_, place) => {
  const [row, output] = [Math.floor(place / OUTPUTS), place % OUTPUTS];
  let total = 0;
  for (let i = 0; i < INPUTS; i++) total += images[row * INPUTS + i]! * wanted[output * INPUTS + i]!;
  return total;
});
const optimiser = { momentum: 0.9, weightDecay: 1e-3 };
const linearMap = (theta: Tensor, x: Tensor) =>
  matmul(x, reshape(theta, [OUTPUTS, INPUTS]), { transposeB: true });
const loss = (theta: Tensor, x: Tensor, y: Tensor) => mse(linearMap(theta, x), y);

function epochs(count: number, seed: number): Int32Array[] {
  return Array.from({ length: count }, (_, index) =>
    splitBatches(permutation({ seed, purpose: 'order', index }, ROWS), BATCH),
  ).flat();
}

/** The same steps in float64. */
function trainInFloat64(theta: ArrayLike<number>, learningRate: number, batches: readonly Int32Array[]) {
  let state = { theta, buffer: new Float64Array(OUTPUTS * INPUTS) as ArrayLike<number> };
  for (const batch of batches) {
    const rowsOf = (data: Float32Array, row: number) =>
      Array.from(batch).flatMap((index) => [...data.subarray(index * row, (index + 1) * row)]);
    const types = {
      theta: f32(OUTPUTS * INPUTS),
      buffer: f32(OUTPUTS * INPUTS),
      learningRate: f32(),
      x: f32(batch.length, INPUTS),
      y: f32(batch.length, OUTPUTS),
    };
    const tape = trace(types, ({ theta, buffer, learningRate, x, y }) => {
      const [g] = gradient(loss(theta, x, y), [theta]) as [Tensor];
      return sgdStep({ theta, gradient: g, buffer, learningRate }, optimiser);
    });
    const next = interpret(tape, {
      ...state,
      learningRate: [learningRate],
      x: rowsOf(images, INPUTS),
      y: rowsOf(targets, OUTPUTS),
    });
    state = { theta: next.theta!, buffer: next.buffer! };
  }
  return state.theta;
}

describe('Trainer', () => {
  let trainer: Trainer;
  let data: TrainingImages;

  beforeAll(async () => {
    const device = await openedDevice();
    data = uploadTraining(device, images, [ROWS, INPUTS], targets, [ROWS, OUTPUTS]);
    const batchSizes = batchSizesOf(ROWS, BATCH);
    const parameters = OUTPUTS * INPUTS;
    trainer = await Trainer.create({
      device,
      data,
      parameters,
      loss,
      optimiser,
      batchSizes,
      label: 'linear',
    });
  });

  afterAll(async () => {
    trainer.release();
    releaseTraining(await openedDevice(), data);
  });

  const start = numbers(2, 'theta', OUTPUTS * INPUTS);

  it('takes the steps of float64, short last batches and momentum included', async () => {
    const batches = epochs(3, 1);
    trainer.start(start, 0.05);
    await trainer.submit(batches);
    expectNear(await trainer.parameters(), trainInFloat64(start, 0.05, batches));
  });

  it('lowers the loss to almost nothing on a regression that can be solved', async () => {
    trainer.start(start, 0.05);
    await trainer.submit(epochs(1, 1));
    const early = await trainer.lastLoss(BATCH);
    await trainer.submit(epochs(60, 2));
    const late = await trainer.lastLoss(BATCH);
    expect(late).toBeLessThan(0.01 * early);
    expectNear(await trainer.parameters(), wanted, { relative: 0.05, absolute: 0 });
  });

  it('goes on from a state to the bits of a training that was not interrupted, and refuses one of another size', async () => {
    const batches = epochs(4, 3);
    trainer.start(start, 0.05);
    await trainer.submit(batches);
    const whole = await trainer.state();
    trainer.start(start, 0.05);
    await trainer.submit(batches.slice(0, 5));
    const middle = await trainer.state();
    expect(middle.momentum.some((value) => value !== 0)).toBe(true);
    trainer.start(numbers(4, 'elsewhere', OUTPUTS * INPUTS), 0.5);
    await trainer.submit(epochs(1, 4));
    trainer.restore(middle, 0.05);
    await trainer.submit(batches.slice(5));
    expect(await trainer.state()).toEqual(whole);
    const short = { ...middle, momentum: middle.momentum.slice(1) };
    expect(() => trainer.restore(short, 0.05)).toThrow(/the momentum buffer has \d+ elements/);
  });

  it('gives the same bits for the same seed, from wherever it was before', async () => {
    const run = async (seed: number) => {
      trainer.start(start, 0.05);
      await trainer.submit(epochs(5, seed));
      return trainer.parameters();
    };
    const first = await run(1);
    const other = await run(2);
    expect(await run(1)).toEqual(first);
    expect(other).not.toEqual(first);
  });

  it('gives the same bits whether steps are submitted together or one by one', async () => {
    const batches = epochs(2, 1);
    trainer.start(start, 0.05);
    await trainer.submit(batches);
    const together = await trainer.parameters();
    trainer.start(start, 0.05);
    for (const batch of batches) await trainer.submit([batch]);
    expect(await trainer.parameters()).toEqual(together);
  });

  it('refuses a batch size that was not compiled, and parameters of another length', async () => {
    await expect(trainer.submit([Int32Array.of(0, 1)])).rejects.toThrow(ShapeError);
    await expect(trainer.submit([Int32Array.of(0, 1)])).rejects.toThrow(
      /linear: .*batch of 2; batch sizes are 8, 6/,
    );
    expect(() => trainer.start(new Float32Array(3), 0.1)).toThrow(/θ has 3 elements.*made for 15/);
    await expect(trainer.lastLoss(1)).rejects.toThrow(ShapeError);
  });

  it('trains a classifier on labels', async () => {
    const device = await openedDevice();
    const labels = Int32Array.from({ length: ROWS }, (_, row) => {
      const scores = [...targets.subarray(row * OUTPUTS, (row + 1) * OUTPUTS)];
      return scores.indexOf(Math.max(...scores));
    });
    const labelled = uploadTraining(device, images, [ROWS, INPUTS], labels, [ROWS]);
    const classifier = await Trainer.create({
      device,
      data: labelled,
      parameters: OUTPUTS * INPUTS,
      loss: (theta, x, y) => softmaxCrossEntropy(linearMap(theta, x), y),
      optimiser: { momentum: 0.9, weightDecay: 0 },
      batchSizes: [ROWS],
      label: 'classifier',
    });
    const whole = Int32Array.from({ length: ROWS }, (_, row) => row);
    classifier.start(new Float32Array(OUTPUTS * INPUTS), 0.5);
    await classifier.submit([whole]);
    expect(await classifier.lastLoss(ROWS)).toBeCloseTo(Math.log(OUTPUTS), 5);
    await classifier.submit(Array.from({ length: 80 }, () => whole));
    expect(await classifier.lastLoss(ROWS)).toBeLessThan(0.2);
    classifier.release();
    releaseTraining(device, labelled);
  });
});

describe('batches', () => {
  it('have the full size, and the rest where there is one', () => {
    expect(batchSizesOf(22, 8)).toEqual([8, 6]);
    expect(batchSizesOf(16, 8)).toEqual([8]);
    expect(batchSizesOf(5, 8)).toEqual([5]);
  });

  it('hold every row of a permutation once, in its order', () => {
    const order = permutation({ seed: 1, purpose: 'order', index: 0 }, ROWS);
    const batches = splitBatches(order, BATCH);
    expect(batches.map((batch) => batch.length)).toEqual([8, 8, 6]);
    expect(batches.flatMap((batch) => [...batch])).toEqual([...order]);
  });
});
