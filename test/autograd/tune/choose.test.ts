import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  agrees,
  type CandidateTime,
  chooseCandidate,
  gainOf,
  heaviest,
  LEAST_GAIN,
  totalSeconds,
} from '../../../src/autograd/tune/choose.js';

const times = (entries: Record<string, number | string>): Map<string, CandidateTime> =>
  new Map(
    Object.entries(entries).map(([name, value]) => [
      name,
      typeof value === 'number' ? { seconds: value } : { failure: value },
    ]),
  );

describe('the choice', () => {
  it('is the fastest candidate', () => {
    expect(chooseCandidate(1, times({ a: 0.9, b: 0.5, c: 0.7 }))).toBe('b');
  });

  it('stays with what is there unless more than the least gain is won', () => {
    expect(chooseCandidate(1, times({ a: 1 - LEAST_GAIN / 2, b: 1.5 }))).toBeNull();
    expect(chooseCandidate(1, times({ a: 1 - LEAST_GAIN }))).toBeNull();
    expect(chooseCandidate(1, times({ a: 0.999 * (1 - LEAST_GAIN) }))).toBe('a');
  });

  it('passes over a candidate that failed', () => {
    expect(chooseCandidate(1, times({ a: 'refused', b: 0.6 }))).toBe('b');
    expect(chooseCandidate(1, times({ a: 'refused' }))).toBeNull();
  });

  it('is none where nothing was measured', () => {
    expect(chooseCandidate(0, times({ a: 0, b: 0 }))).toBeNull();
    expect(chooseCandidate(1, new Map())).toBeNull();
  });

  it('takes the first of equal ones', () => {
    expect(chooseCandidate(1, times({ a: 0.5, b: 0.5 }))).toBe('a');
  });

  it('gains the part of the time that is saved', () => {
    expect(gainOf(4, 3)).toBeCloseTo(0.25, 12);
    expect(gainOf(4, 5)).toBeCloseTo(-0.25, 12);
  });
});

describe('the heaviest units', () => {
  const units = fc.array(
    fc.record({
      runs: fc.integer({ min: 1, max: 1000 }),
      seconds: fc.double({ min: 1e-6, max: 1, noNaN: true }),
    }),
    { maxLength: 30 },
  );

  it('cover what is wanted with as few as possible, launches counted', () => {
    expect(
      heaviest(
        [
          { runs: 1, seconds: 5 },
          { runs: 100, seconds: 0.9 },
          { runs: 1, seconds: 1 },
        ],
        { coverage: 0.9 },
      ),
    ).toEqual([{ runs: 100, seconds: 0.9 }]);
    fc.assert(
      fc.property(units, fc.double({ min: 0.1, max: 1, noNaN: true }), (all, coverage) => {
        const chosen = heaviest(all, { coverage, most: 100 });
        const wanted = coverage * totalSeconds(all);
        expect(totalSeconds(chosen)).toBeGreaterThanOrEqual(wanted * (1 - 1e-12));
        expect(totalSeconds(chosen.slice(0, -1))).toBeLessThanOrEqual(wanted);
      }),
    );
  });

  it('are no more than so many', () => {
    fc.assert(
      fc.property(units, fc.integer({ min: 1, max: 5 }), (all, most) => {
        expect(heaviest(all, { coverage: 1, most }).length).toBeLessThanOrEqual(most);
      }),
    );
  });
});

describe('agreement', () => {
  it('allows another order of sums and nothing more', () => {
    const want = Float32Array.of(1, 2, 3, 4);
    expect(agrees(want.slice(), want)).toBe(true);
    expect(agrees(Float32Array.of(1, 2, 3, 4.000001), want)).toBe(true);
    expect(agrees(Float32Array.of(1, 2, 3, 4.001), want)).toBe(false);
    expect(agrees(Float32Array.of(2, 1, 3, 4), want)).toBe(false);
    expect(agrees(Float32Array.of(1, 2, 3), want)).toBe(false);
  });

  it('wants not a number and infinities where they are', () => {
    const want = Float32Array.of(1, Number.NaN, Number.POSITIVE_INFINITY);
    expect(agrees(want.slice(), want)).toBe(true);
    expect(agrees(Float32Array.of(1, 0, Number.POSITIVE_INFINITY), want)).toBe(false);
    expect(agrees(Float32Array.of(1, Number.NaN, 3), want)).toBe(false);
    expect(agrees(Float32Array.of(Number.NaN, 2), Float32Array.of(1, 2))).toBe(false);
  });

  it('wants whole numbers to the bit', () => {
    const want = Int32Array.of(1_000_000, 5);
    expect(agrees(want.slice(), want)).toBe(true);
    expect(agrees(Int32Array.of(1_000_001, 5), want)).toBe(false);
  });
});
