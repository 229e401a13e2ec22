import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../../src/errors.js';
import { minimise, type SmoothFunction } from '../../../src/nn/optimisers/lbfgs.js';

const rosenbrock: SmoothFunction = (x, gradient) => {
  let value = 0;
  gradient.fill(0);
  for (let i = 0; i + 1 < x.length; i++) {
    const bend = x[i + 1]! - x[i]! ** 2;
    value += 100 * bend ** 2 + (1 - x[i]!) ** 2;
    gradient[i]! += -400 * x[i]! * bend - 2 * (1 - x[i]!);
    gradient[i + 1]! += 200 * bend;
  }
  return value;
};

describe('minimise', () => {
  it.each([2, 10, 100])('finds the minimum of the Rosenbrock function in %i dimensions', (dimension) => {
    const start = new Float64Array(dimension).fill(-1.2);
    const result = minimise(rosenbrock, start, { maximumIterations: 1000, gradientTolerance: 1e-9 });
    expect(result.converged).toBe(true);
    expect(result.gradientNorm).toBeLessThanOrEqual(1e-9);
    // From this start the ten-dimensional function's local minimum near (−1, 1, …, 1) can be reached too.
    for (const x of result.x.subarray(1)) expect(x).toBeCloseTo(1, 6);
    expect(Math.abs(result.x[0]!)).toBeCloseTo(1, 1);
    expect(start.every((x) => x === -1.2)).toBe(true);
  });

  it('converges on an ill-conditioned quadratic function far faster than gradient descent could', () => {
    const dimension = 50;
    const curvature = Float64Array.from({ length: dimension }, (_, i) => 10 ** ((3 * i) / (dimension - 1)));
    const quadratic: SmoothFunction = (x, gradient) => {
      let value = 0;
      for (let i = 0; i < dimension; i++) {
        gradient[i] = curvature[i]! * (x[i]! - i);
        value += 0.5 * gradient[i]! * (x[i]! - i);
      }
      return value;
    };
    const options = { maximumIterations: 1000, gradientTolerance: 1e-8 };
    const result = minimise(quadratic, new Float64Array(dimension), options);
    expect(result.converged).toBe(true);
    expect(result.iterations).toBeLessThan(500);
    result.x.forEach((x, i) => {
      expect(x).toBeCloseTo(i, 6);
    });
  });

  it('survives a first step that leaves the function’s domain', () => {
    const barrier: SmoothFunction = (x, gradient) => {
      gradient[0] = 1 - 1e-3 / x[0]!;
      return x[0]! > 0 ? x[0]! - 1e-3 * Math.log(x[0]!) : Number.NaN;
    };
    const result = minimise(barrier, Float64Array.of(0.5), {
      maximumIterations: 100,
      gradientTolerance: 1e-8,
    });
    expect(result.converged).toBe(true);
    expect(result.x[0]).toBeCloseTo(1e-3, 9);
  });

  it('says so when the iterations run out', () => {
    const options = { maximumIterations: 3, gradientTolerance: 1e-9 };
    const result = minimise(rosenbrock, Float64Array.of(-1.2, 1), options);
    expect(result).toMatchObject({ iterations: 3, converged: false });
    expect(result.value).toBeLessThan(24.2);
  });

  it('ends without converging where nothing lower can be found', () => {
    const wrongGradient: SmoothFunction = (x, gradient) => {
      gradient[0] = -1;
      return x[0]! ** 2 + x[0]!;
    };
    const options = { maximumIterations: 100, gradientTolerance: 1e-9 };
    const result = minimise(wrongGradient, Float64Array.of(0), options);
    expect(result).toMatchObject({ iterations: 0, converged: false });
    expect(Array.from(result.x)).toEqual([0]);
  });

  it('returns the start when it already is a minimum', () => {
    const options = { maximumIterations: 10, gradientTolerance: 1e-9 };
    const result = minimise(rosenbrock, Float64Array.of(1, 1), options);
    expect(result).toMatchObject({ iterations: 0, converged: true, value: 0 });
  });

  it('refuses a start where the objective is not finite', () => {
    const options = { maximumIterations: 10, gradientTolerance: 1e-9 };
    expect(() => minimise(() => Number.NaN, new Float64Array(1), options)).toThrow(ShapeError);
  });
});
