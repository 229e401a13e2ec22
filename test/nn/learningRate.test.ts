import { describe, expect, it } from 'vitest';
import { learningRateAt, type Schedule } from '../../src/nn/learningRate.js';

const along = (schedule: Schedule, peak = 2): number[] =>
  Array.from({ length: schedule.steps }, (_, step) => learningRateAt(step, peak, schedule));

describe('a learning rate', () => {
  it('that is constant is the peak at every step', () => {
    expect(along({ schedule: 'constant', warmUp: 0, steps: 4 })).toEqual([2, 2, 2, 2]);
  });

  it('rises in equal parts through the warm-up and reaches the peak at its end', () => {
    expect(along({ schedule: 'constant', warmUp: 4, steps: 6 })).toEqual([0.5, 1, 1.5, 2, 2, 2]);
  });

  it('follows half a cosine after the warm-up: the peak, half of it midway, and nearly nothing at the end', () => {
    const rates = along({ schedule: 'cosine', warmUp: 10, steps: 110 });
    expect(rates[9]).toBe(2);
    expect(rates[10]).toBe(2);
    expect(rates[60]).toBeCloseTo(1, 12);
    expect(rates[109]).toBeGreaterThan(0);
    expect(rates[109]).toBeLessThan(0.001);
    for (let step = 11; step < 110; step++) expect(rates[step]).toBeLessThan(rates[step - 1]!);
  });

  it('may be all warm-up', () => {
    expect(along({ schedule: 'cosine', warmUp: 2, steps: 2 })).toEqual([1, 2]);
  });
});
