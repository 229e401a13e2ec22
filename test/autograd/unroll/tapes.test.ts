import { describe, expect, it } from 'vitest';
import type { InnerProblem } from '../../../src/autograd/unroll/tapes.js';
import { forwardTape, reverseTape } from '../../../src/autograd/unroll/tapes.js';
import { inner, norm, numbers } from '../../support/compare.js';
import { centralDifference } from '../../support/derivatives.js';
import { classification, inputs, labels, regression } from '../../support/tinyUnroll.js';
import { forwardInFloat64, type UnrollInputs, unrollInFloat64 } from '../../support/unrollInFloat64.js';

/** d loss along a direction in one of the driver's inputs, and along the analytic gradient. */
function expectGradient(
  problem: InnerProblem,
  at: UnrollInputs,
  name: 'images' | 'targets' | 'start',
  analytic: ArrayLike<number>,
  directions: readonly ArrayLike<number>[],
  loss: (changed: UnrollInputs) => number = (changed) => forwardInFloat64(problem, changed).loss,
): void {
  for (const direction of directions) {
    const difference = centralDifference((x) => loss({ ...at, [name]: x }), at[name], direction);
    const along = inner(analytic, direction);
    expect(Math.abs(along - difference), `along ${name}: ${along} and ${difference}`).toBeLessThanOrEqual(
      1e-6 * norm(analytic) * norm(direction) + 1e-9,
    );
  }
}

const unit = (length: number, place: number): number[] =>
  Array.from({ length }, (_, k) => Number(k === place));

describe('the hypergradient of the trajectory loss', () => {
  const result = unrollInFloat64(regression, inputs);

  it('is the derivative by pixels, also of an image that occurs twice in a batch and in two steps', () => {
    const pixels = [0, 36 + 14, 36 + 21, 3 * 36 + 35].map((place) => unit(inputs.images.length, place));
    const all = numbers(2, 'pixels', inputs.images.length);
    expectGradient(regression, inputs, 'images', result.dImages, [...pixels, all]);
    expect(norm(result.dImages)).toBeGreaterThan(0);
  });

  it('is the derivative by targets', () => {
    const some = [0, 5, 19].map((place) => unit(inputs.targets.length, place));
    const all = numbers(2, 'targets', inputs.targets.length);
    expectGradient(regression, inputs, 'targets', result.dTargets!, [...some, all]);
  });

  it('is the derivative by the learning rate', () => {
    const difference = centralDifference(
      ([learningRate]) => forwardInFloat64(regression, { ...inputs, learningRate: learningRate! }).loss,
      [inputs.learningRate],
      [1],
    );
    expect(Math.abs(result.dLearningRate - difference)).toBeLessThanOrEqual(1e-7 * Math.abs(difference));
  });

  it('is the derivative by the start, for a constant denominator', () => {
    const squared = (a: ArrayLike<number>) => norm(Array.from(a, (x, k) => x - inputs.target[k]!)) ** 2;
    const scaled = (changed: UnrollInputs) =>
      (forwardInFloat64(regression, changed).loss * squared(changed.start)) / squared(inputs.start);
    const all = numbers(2, 'start', inputs.start.length);
    expectGradient(regression, inputs, 'start', result.adjointAtStart, [all], scaled);
  });

  it('leaves images without a gradient that no batch holds', () => {
    const batches = [Int32Array.of(0, 2), Int32Array.of(2, 4)];
    const { dImages, dTargets } = unrollInFloat64(regression, { ...inputs, batches });
    for (const unused of [1, 3]) {
      expect(norm(dImages.subarray(unused * 36, (unused + 1) * 36))).toBe(0);
      expect(norm(dTargets!.subarray(unused * 4, (unused + 1) * 4))).toBe(0);
    }
    expect(norm(dImages.subarray(2 * 36, 3 * 36))).toBeGreaterThan(0);
  });

  it('goes through a cross-entropy on fixed labels, which get no gradient', () => {
    const labelled = { ...inputs, targets: labels };
    const { dImages, dTargets } = unrollInFloat64(classification, labelled);
    expectGradient(classification, labelled, 'images', dImages, [numbers(2, 'pixels', dImages.length)]);
    expect(dTargets).toBeNull();
  });
});

describe('the tapes of a step', () => {
  it('move θ against the gradient of the loss', () => {
    const { path, innerLosses } = forwardInFloat64(regression, {
      ...inputs,
      learningRate: 0.05,
      batches: Array.from({ length: 8 }, () => Int32Array.of(0, 1, 2, 3, 4)),
    });
    expect(path).toHaveLength(9);
    innerLosses.slice(1).forEach((loss, k) => {
      expect(loss).toBeLessThan(innerLosses[k]!);
    });
  });

  it('gather the θ-gradient of all layers into one vector, without sums of mostly empty ones', () => {
    for (const tape of [forwardTape(regression, 3), reverseTape(regression, 3)]) {
      const packs = tape.operations.filter(({ name }) => name === 'pack');
      expect(packs.length).toBeGreaterThan(0);
      for (const { id, inputs } of packs) {
        expect(inputs).toHaveLength(6);
        const users = tape.operations.filter((operation) => operation.inputs.includes(id));
        expect(
          users.map(({ inputs }) => inputs.map((input) => tape.operations[input]!.name)),
        ).not.toContainEqual(['pack', 'pack']);
      }
    }
  });
});
