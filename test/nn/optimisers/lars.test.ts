import { describe, expect, it } from 'vitest';
import { interpret } from '../../../src/autograd/interpret.js';
import { f32 } from '../../../src/autograd/tape.js';
import { trace } from '../../../src/autograd/trace.js';
import { lars } from '../../../src/nn/optimisers/lars.js';
import { layOut, splitParameters } from '../../../src/nn/parameters.js';
import { expectNear, norm, numbers } from '../../support/compare.js';
import { useDevice } from '../../support/device.js';
import { expectSameOnDevice } from '../../support/onDevice.js';
import type { OperationCase } from '../../support/operations/case.js';

const openedDevice = useDevice();
const layout = layOut([
  { name: 'conv.weight', shape: [4, 2, 3, 3], fanIn: 18, start: 'uniform' },
  { name: 'norm.weight', shape: [4], fanIn: 1, start: 'ones' },
  { name: 'head.weight', shape: [3, 5], fanIn: 5, start: 'uniform' },
  { name: 'head.bias', shape: [3], fanIn: 5, start: 'uniform' },
  { name: 'empty.weight', shape: [2, 2], fanIn: 2, start: 'zeros' },
]);
const rates = { learningRate: 0.3, momentum: 0.9, weightDecay: 0.05 };
const STEPS = 3;

/** Random numbers in the layout's tensors, zeros in the padding and in the tensor that starts empty. */
function vector(name: string): Float32Array {
  const all = new Float32Array(layout.total);
  const parts = splitParameters(layout, all);
  for (const entry of layout.entries) {
    if (entry.start !== 'zeros')
      parts[entry.name]!.set(numbers(1, `${name} ${entry.name}`, parts[entry.name]!.length));
  }
  return all;
}

function tapeOf(decays: boolean) {
  const optimiser = lars({ layout, weightDecay: decays });
  const vectors = { theta: f32(layout.total), gradient: f32(layout.total), buffer: f32(layout.total) };
  const scalars = Object.fromEntries(optimiser.hyperparameters.map((name) => [name, f32()]));
  return trace({ ...vectors, ...scalars }, ({ theta, gradient, buffer, ...hyperparameters }) => {
    const next = optimiser.step({
      theta: theta!,
      gradient: gradient!,
      state: { buffer: buffer! },
      hyperparameters,
    });
    return { theta: next.theta, buffer: next.state.buffer! };
  });
}

/** Barlow Twins' own optimiser, tensor by tensor. */
function stepsByHand(weightDecay: number): { theta: Float64Array; buffer: Float64Array } {
  const theta = Float64Array.from(vector('theta'));
  const buffer = new Float64Array(layout.total);
  for (let step = 0; step < STEPS; step++) {
    const gradient = vector(`gradient${step}`);
    for (const { offset, shape } of layout.entries) {
      const end = offset + shape.reduce((product, extent) => product * extent, 1);
      let descent = Array.from(gradient.subarray(offset, end));
      if (shape.length > 1) {
        const weight = theta.subarray(offset, end);
        descent = descent.map((value, i) => value + weightDecay * weight[i]!);
        const [length, update] = [norm(weight), norm(descent)];
        const ratio = length > 0 && update > 0 ? (0.001 * length) / update : 1;
        descent = descent.map((value) => value * ratio);
      }
      descent.forEach((value, i) => {
        buffer[offset + i] = rates.momentum * buffer[offset + i]! + value;
        theta[offset + i]! -= rates.learningRate * buffer[offset + i]!;
      });
    }
  }
  return { theta, buffer };
}

describe('lars', () => {
  it.each([true, false])('is Barlow Twins’ update, with weight decay or without: %s', (decays) => {
    const tape = tapeOf(decays);
    let state: Record<string, ArrayLike<number>> = {
      theta: vector('theta'),
      buffer: new Float64Array(layout.total),
    };
    for (let step = 0; step < STEPS; step++) {
      const given = Object.fromEntries(
        Object.keys(tape.inputs).flatMap((name) =>
          Object.hasOwn(rates, name) ? [[name, [rates[name as keyof typeof rates]]]] : [],
        ),
      );
      state = interpret(tape, { ...state, ...given, gradient: vector(`gradient${step}`) });
    }
    const want = stepsByHand(decays ? rates.weightDecay : 0);
    expectNear(state.theta!, want.theta, { relative: 1e-12, absolute: 0 });
    expectNear(state.buffer!, want.buffer, { relative: 1e-12, absolute: 0 });
  });

  it('moves a weight by the same length whatever the length of its gradient, and a bias in proportion to it', () => {
    const tape = tapeOf(false);
    const given = {
      theta: vector('theta'),
      buffer: new Float64Array(layout.total),
      learningRate: [1],
      momentum: [0],
    };
    const gradient = vector('gradient0');
    const moved = (factor: number) => {
      const { theta } = interpret(tape, { ...given, gradient: gradient.map((value) => factor * value) });
      const difference = Float32Array.from(theta!, (value, i) => value - given.theta[i]!);
      return splitParameters(layout, difference);
    };
    const [small, large] = [moved(1), moved(100)];
    const parts = splitParameters(layout, given.theta);
    expect(norm(small['head.weight']!)).toBeCloseTo(0.001 * norm(parts['head.weight']!), 6);
    expect(norm(large['head.weight']!)).toBeCloseTo(norm(small['head.weight']!), 6);
    expect(norm(large['head.bias']!) / norm(small['head.bias']!)).toBeCloseTo(100, 3);
  });

  it('gives on the device what float64 gives', async () => {
    const optimiser = lars({ layout, weightDecay: true });
    const table = (values: Float32Array) => ({ type: f32(layout.total), values });
    const gradient = vector('gradient0');
    // Of the size of what the trust ratio leaves of the weights' gradient, so that neither hides in the other's error.
    for (const { offset, shape } of layout.entries) {
      if (shape.length === 1)
        gradient.subarray(offset, offset + shape[0]!).forEach((value, k, part) => {
          part[k] = value / 1000;
        });
    }
    const number = (value: number) => ({ type: f32(), values: Float32Array.of(value) });
    const update: OperationCase = {
      inputs: {
        theta: table(vector('theta')),
        gradient: table(gradient),
        buffer: table(new Float32Array(layout.total)),
        learningRate: number(0.3),
        momentum: number(0.9),
        weightDecay: number(0.05),
      },
      build: ({ theta, gradient, buffer, ...hyperparameters }) =>
        optimiser.step({ theta: theta!, gradient: gradient!, state: { buffer: buffer! }, hyperparameters })
          .state.buffer!,
      differentiable: [],
    };
    await expectSameOnDevice(await openedDevice(), update, { relative: 1e-5, absolute: 1e-9 });
  });
});
