import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../src/errors.js';
import { heNormal, uniformFanIn } from '../../src/nn/initialisation.js';

const key = { seed: 1, purpose: 'initialisation', index: 0 };

describe('uniformFanIn', () => {
  it('fills the shape with values spread over ±1/√fanIn', () => {
    const values = uniformFanIn(key, [64, 16, 3, 3], 16 * 9);
    expect(values).toHaveLength(64 * 16 * 9);
    const variance = values.reduce((sum, x) => sum + x * x, 0) / values.length;
    expect(Math.max(...values)).toBeLessThanOrEqual(1 / 12);
    expect(Math.max(...values)).toBeGreaterThan(0.99 / 12);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(-1 / 12);
    expect(Math.min(...values)).toBeLessThan(-0.99 / 12);
    expect(variance * 3 * 144).toBeCloseTo(1, 1);
  });

  it('depends on the stream alone', () => {
    expect(uniformFanIn(key, [2, 3], 3)).toEqual(uniformFanIn({ ...key }, [6], 3));
    expect(uniformFanIn(key, [6], 3)).not.toEqual(uniformFanIn({ ...key, index: 1 }, [6], 3));
  });

  it('refuses an impossible fan-in or shape', () => {
    expect(() => uniformFanIn(key, [3], 0)).toThrow(ShapeError);
    expect(() => uniformFanIn(key, [3, -1], 3)).toThrow(/\[3, -1\].*-1 must be a positive integer/);
  });
});

describe('heNormal', () => {
  it('fills the shape with values of mean 0 and variance 2/fan-out', () => {
    const values = heNormal(key, [32, 64, 3, 3]);
    expect(values).toHaveLength(32 * 64 * 9);
    const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
    const variance = values.reduce((sum, x) => sum + x * x, 0) / values.length;
    expect(mean * 12).toBeCloseTo(0, 1);
    expect((variance * 32 * 9) / 2).toBeCloseTo(1, 1);
  });

  it('refuses a shape that is no convolution’s', () => {
    expect(() => heNormal(key, [3, 4])).toThrow(ShapeError);
    expect(() => heNormal(key, [3, 4])).toThrow(/\[3, 4\].*four axes/);
    expect(() => heNormal(key, [3, 4, 0, 1])).toThrow(/0 must be a positive integer/);
  });
});
