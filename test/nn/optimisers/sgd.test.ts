import { describe, it } from 'vitest';
import { interpret } from '../../../src/autograd/interpret.js';
import { f32 } from '../../../src/autograd/tape.js';
import { trace } from '../../../src/autograd/trace.js';
import { type SgdSettings, sgdStep } from '../../../src/nn/optimisers/sgd.js';
import { expectNear, numbers } from '../../support/compare.js';

const SIZE = 6;
const STEPS = 4;
const learningRate = 0.3;
const first = numbers(1, 'theta', SIZE);
const gradients = Array.from({ length: STEPS }, (_, step) => numbers(1, `gradient${step}`, SIZE));

function stepsOnTape(settings: SgdSettings): { theta: ArrayLike<number>; buffer: ArrayLike<number> } {
  const types = { theta: f32(SIZE), gradient: f32(SIZE), buffer: f32(SIZE), learningRate: f32() };
  const tape = trace(types, (inputs) => sgdStep(inputs, settings));
  let state: { theta: ArrayLike<number>; buffer: ArrayLike<number> } = {
    theta: first,
    buffer: new Float64Array(SIZE),
  };
  for (const gradient of gradients) {
    const next = interpret(tape, { ...state, gradient, learningRate: [learningRate] });
    state = { theta: next.theta!, buffer: next.buffer! };
  }
  return state;
}

function stepsByHand({ momentum, weightDecay }: SgdSettings): { theta: number[]; buffer: number[] } {
  const theta = [...first];
  const buffer = theta.map(() => 0);
  for (const gradient of gradients)
    for (let i = 0; i < SIZE; i++) {
      buffer[i] = momentum * buffer[i]! + gradient[i]! + weightDecay * theta[i]!;
      theta[i]! -= learningRate * buffer[i]!;
    }
  return { theta, buffer };
}

describe('sgdStep', () => {
  it.each<[string, SgdSettings]>([
    ['plain descent', { momentum: 0, weightDecay: 0 }],
    ['momentum', { momentum: 0.9, weightDecay: 0 }],
    ['weight decay', { momentum: 0, weightDecay: 0.1 }],
    ['momentum and weight decay', { momentum: 0.5, weightDecay: 0.01 }],
  ])('is PyTorch’s update: %s', (_, settings) => {
    const got = stepsOnTape(settings);
    const want = stepsByHand(settings);
    expectNear(got.theta, want.theta, { relative: 1e-12, absolute: 0 });
    expectNear(got.buffer, want.buffer, { relative: 1e-12, absolute: 0 });
  });
});
