import { describe, it } from 'vitest';
import { interpret } from '../../../src/autograd/interpret.js';
import { f32 } from '../../../src/autograd/tape.js';
import { trace } from '../../../src/autograd/trace.js';
import { type AdamSettings, adamStep } from '../../../src/nn/optimisers/adam.js';
import { expectNear, numbers } from '../../support/compare.js';

const SIZE = 6;
const STEPS = 5;
const learningRate = 0.01;
const start = numbers(1, 'theta', SIZE);
const gradients = Array.from({ length: STEPS }, (_, step) => numbers(1, `gradient${step}`, SIZE));

function stepsOnTape(
  settings: AdamSettings,
  beta1: number,
  beta2: number,
): Record<string, ArrayLike<number>> {
  const types = {
    theta: f32(SIZE),
    gradient: f32(SIZE),
    first: f32(SIZE),
    second: f32(SIZE),
    learningRate: f32(),
    decay1: f32(),
    decay2: f32(),
  };
  const tape = trace(types, (inputs) => adamStep(inputs, settings));
  let state: Record<string, ArrayLike<number>> = {
    theta: start,
    first: new Float64Array(SIZE),
    second: new Float64Array(SIZE),
    decay1: [beta1],
    decay2: [beta2],
  };
  for (const gradient of gradients) {
    state = interpret(tape, { ...state, gradient, learningRate: [learningRate] });
  }
  return state;
}

function stepsByHand(beta1: number, beta2: number, epsilon: number): number[] {
  const theta = [...start];
  const first = theta.map(() => 0);
  const second = theta.map(() => 0);
  gradients.forEach((gradient, step) => {
    for (let i = 0; i < SIZE; i++) {
      first[i] = beta1 * first[i]! + (1 - beta1) * gradient[i]!;
      second[i] = beta2 * second[i]! + (1 - beta2) * gradient[i]! ** 2;
      const centred = first[i]! / (1 - beta1 ** (step + 1));
      const spread = second[i]! / (1 - beta2 ** (step + 1));
      theta[i]! -= (learningRate * centred) / (Math.sqrt(spread) + epsilon);
    }
  });
  return theta;
}

describe('adamStep', () => {
  it('is the update of Kingma and Ba, with their settings by default', () => {
    const { theta } = stepsOnTape({}, 0.9, 0.999);
    expectNear(theta!, stepsByHand(0.9, 0.999, 1e-8), { relative: 1e-12, absolute: 0 });
  });

  it('takes other settings', () => {
    const { theta } = stepsOnTape({ beta1: 0.5, beta2: 0.9, epsilon: 0.1 }, 0.5, 0.9);
    expectNear(theta!, stepsByHand(0.5, 0.9, 0.1), { relative: 1e-12, absolute: 0 });
  });

  it('hands on the powers of its decays for the next step', () => {
    const { decay1, decay2 } = stepsOnTape({}, 0.9, 0.999);
    expectNear(decay1!, [0.9 ** (STEPS + 1)], { relative: 1e-12, absolute: 0 });
    expectNear(decay2!, [0.999 ** (STEPS + 1)], { relative: 1e-12, absolute: 0 });
  });

  it('moves each number by the learning rate at first, whatever the gradient’s size', () => {
    const types = { theta: f32(2), gradient: f32(2), first: f32(2), second: f32(2) };
    const scalars = { learningRate: f32(), decay1: f32(), decay2: f32() };
    const tape = trace({ ...types, ...scalars }, (inputs) => adamStep(inputs));
    const { theta } = interpret(tape, {
      theta: [0, 0],
      gradient: [1e-3, -100],
      first: [0, 0],
      second: [0, 0],
      learningRate: [0.01],
      decay1: [0.9],
      decay2: [0.999],
    });
    expectNear(theta!, [-0.01, 0.01], { relative: 1e-4, absolute: 0 });
  });
});
