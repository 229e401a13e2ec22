import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../src/errors.js';
import { uniformFanIn } from '../../src/nn/initialisation.js';

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
