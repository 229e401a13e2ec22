import { describe, expect, it } from 'vitest';
import { gradient } from '../../src/autograd/gradient.js';
import { interpret } from '../../src/autograd/interpret.js';
import { batchNorm, batchNormWith, moveRunningStatistics } from '../../src/autograd/ops/batchNorm.js';
import { reshape } from '../../src/autograd/ops/reduce.js';
import { f32 } from '../../src/autograd/tape.js';
import { type Tensor, trace } from '../../src/autograd/trace.js';
import { releaseTraining, uploadTraining } from '../../src/nn/deviceImages.js';
import { mse } from '../../src/nn/losses.js';
import { initialParameters, type ModelWithBuffers } from '../../src/nn/model.js';
import { normalisedStudent } from '../../src/nn/normalisedStudent.js';
import { sgdStep } from '../../src/nn/optimisers/sgd.js';
import { layOut, packParameters, splitParameters, unpack } from '../../src/nn/parameters.js';
import { resNet18 } from '../../src/nn/resNet18.js';
import { splitBatches, Trainer, trainingTape } from '../../src/nn/training.js';
import { expectNear, numbers } from '../support/compare.js';
import { useDevice } from '../support/device.js';

const device = useDevice();

/** Batch norm of three channels of two pixels, and nothing else: the smallest network with running statistics. */
const parameters = layOut([
  { name: 'norm.weight', shape: [3], fanIn: 1, start: 'ones' },
  { name: 'norm.bias', shape: [3], fanIn: 1, start: 'zeros' },
]);
const buffers = layOut([
  { name: 'norm.running_mean', shape: [3], fanIn: 1, start: 'zeros' },
  { name: 'norm.running_var', shape: [3], fanIn: 1, start: 'ones' },
]);
const rows = (x: Tensor) => ({
  features: reshape(x, [x.shape[0]!, 6]),
  output: reshape(x, [x.shape[0]!, 6]),
});
const affine = (theta: Tensor): [Tensor, Tensor] => {
  const p = unpack(parameters, theta);
  return [p['norm.weight']!, p['norm.bias']!];
};
const statisticsOf = (running: Tensor) => {
  const b = unpack(buffers, running);
  return { mean: b['norm.running_mean']!, variance: b['norm.running_var']! };
};
const body: ModelWithBuffers = {
  parameters,
  buffers,
  image: [3, 1, 2],
  featureCount: 6,
  outputCount: 6,
  forward: (theta, x) => rows(batchNorm(x, ...affine(theta)).output),
  train(theta, running, x) {
    const batch = batchNorm(x, ...affine(theta));
    const { mean, variance } = moveRunningStatistics(statisticsOf(running), batch, x);
    const moved = packParameters(buffers, { 'norm.running_mean': mean, 'norm.running_var': variance });
    return { ...rows(batch.output), buffers: moved };
  },
  evaluate: (theta, running, x) => rows(batchNormWith(x, ...affine(theta), statisticsOf(running))),
};

const OUTPUT = 4;
const student = normalisedStudent(body, OUTPUT);
const { total } = student.parameters;
const start = initialParameters(student.parameters, { seed: 1, purpose: 'student', index: 0 });
const COUNT = 7;
const images = numbers(1, 'images', COUNT * 6).map((value) => 3 * value + 2);
const targets = numbers(1, 'targets', COUNT * OUTPUT);
const optimiser = { momentum: 0.9, weightDecay: 0.01 };
const step = {
  parameters: total,
  optimiser,
  loss(theta: Tensor, x: Tensor, y: Tensor) {
    const { output, statistics } = student.train(theta, x);
    return { loss: mse(output, y), statistics };
  },
};

describe('a student that normalises over the batch', () => {
  it('has its head and its running statistics behind the body’s parameters', () => {
    const names = student.parameters.entries.map(({ name }) => name);
    expect(names).toEqual([
      ...parameters.entries.map(({ name }) => name),
      'head.weight',
      'head.bias',
      ...buffers.entries.map(({ name }) => name),
    ]);
    expect(total - student.learnt).toBe(buffers.total);
    const parts = splitParameters(student.parameters, start);
    expect([...parts['norm.running_mean']!, ...parts['norm.running_var']!]).toEqual([0, 0, 0, 1, 1, 1]);
  });

  it('sees an image the same whatever lies beside it, in evaluation mode', () => {
    const encode = (batch: Float32Array) => {
      const count = batch.length / 6;
      const tape = trace({ theta: f32(total), x: f32(count, 3, 1, 2) }, ({ theta, x }) => ({
        output: student.forward(theta, x).output,
      }));
      return interpret(tape, { theta: start, x: batch }).output!;
    };
    expectNear(encode(images).slice(0, OUTPUT), encode(images.slice(0, 6)), { relative: 1e-12, absolute: 0 });
  });

  it('trains on a device as in float64, its statistics moved on by every batch and never descended on', async () => {
    const batches = splitBatches(Int32Array.from([0, 3, 5, 1, 6, 2, 4]), 4);
    const opened = await device();
    const data = uploadTraining(opened, images, [COUNT, 3, 1, 2], targets, [COUNT, OUTPUT]);
    const trainer = await Trainer.create({
      ...step,
      device: opened,
      data,
      batchSizes: [4, 3],
      label: 'student',
    });
    trainer.start(start, 0.1);
    await trainer.submit(batches);
    const got = await trainer.parameters();
    trainer.release();
    releaseTraining(opened, data);

    const { learnt } = student;
    let theta: ArrayLike<number> = start;
    let buffer: ArrayLike<number> = new Float64Array(total);
    const running = { mean: [0, 0, 0], variance: [1, 1, 1] };
    for (const batch of batches) {
      const pick = (table: Float32Array, row: number) =>
        Array.from(batch).flatMap((k) => [...table.subarray(k * row, (k + 1) * row)]);
      const types = {
        theta: f32(total),
        buffer: f32(total),
        x: f32(batch.length, 3, 1, 2),
        y: f32(batch.length, OUTPUT),
      };
      const tape = trace({ ...types, learningRate: f32() }, (inputs) => {
        const loss = mse(student.train(inputs.theta, inputs.x).output, inputs.y);
        const [g] = gradient(loss, [inputs.theta]) as [Tensor];
        return sgdStep({ ...inputs, gradient: g }, optimiser);
      });
      const x = pick(images, 6);
      const next = interpret(tape, { theta, buffer, learningRate: [0.1], x, y: pick(targets, OUTPUT) });
      theta = next.theta!;
      buffer = next.buffer!;
      for (const channel of [0, 1, 2]) {
        const values = Array.from(batch, (_, k) => [
          x[k * 6 + channel * 2]!,
          x[k * 6 + channel * 2 + 1]!,
        ]).flat();
        const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
        const unbiased = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
        running.mean[channel] = 0.9 * running.mean[channel]! + 0.1 * mean;
        running.variance[channel] = 0.9 * running.variance[channel]! + 0.1 * unbiased;
      }
    }
    expectNear(got.subarray(0, learnt), Array.from(theta).slice(0, learnt));
    const parts = splitParameters(student.parameters, got);
    expectNear(parts['norm.running_mean']!, running.mean);
    expectNear(parts['norm.running_var']!, running.variance);
  });

  it('can be a ResNet-18, with the features in front of the head that a probe sees', () => {
    const residual = normalisedStudent(resNet18({ image: [1, 6, 6], width: 2 }), 5);
    const tape = trainingTape(
      {
        parameters: residual.parameters.total,
        optimiser,
        loss(theta, x, y) {
          const { output, features, statistics } = residual.train(theta, x);
          expect(features.shape).toEqual([2, residual.featureCount]);
          return { loss: mse(output, y), statistics };
        },
        imageShape: [3, 1, 6, 6],
        targetType: f32(3, 5),
      },
      2,
    );
    expect(residual.featureCount).toBe(16);
    expect(tape.operations[tape.outputs.theta!]!.type.shape).toEqual([residual.parameters.total]);
  });
});
