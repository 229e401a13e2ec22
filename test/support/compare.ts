import { expect } from 'vitest';
import { normal, uniform } from '../../src/kernels/philox.js';

export interface Tolerance {
  readonly relative: number;
  /** Allowed for each element, for results near zero. */
  readonly absolute: number;
}

export const FLOAT32: Tolerance = { relative: 1e-5, absolute: 1e-6 };

/** √Σ a². */
export function norm(a: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i]! * a[i]!;
  return Math.sqrt(total);
}

/** Σ a·b. */
export function inner(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i]! * b[i]!;
  return total;
}

/** Holds that ‖got − want‖ ≤ relative·‖want‖ + absolute·√n. */
export function expectNear(
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  { relative, absolute }: Tolerance = FLOAT32,
  what = 'the result',
): void {
  expect(got.length, `number of elements of ${what}`).toBe(want.length);
  const error = norm(Array.from(want, (value, i) => got[i]! - value));
  const allowed = relative * norm(want) + absolute * Math.sqrt(want.length);
  expect(error, `error of ${what}`).toBeLessThanOrEqual(allowed);
}

/** Where the numbers of an input lie: anywhere, above 0.5, or away from 0 (where a derivative jumps). */
export type Domain = 'any' | 'positive' | 'awayFromZero';

/** Random numbers for an input; equal arguments give equal numbers. */
export function numbers(seed: number, name: string, count: number, domain: Domain = 'any'): Float32Array {
  const key = { seed, purpose: `test/${name}`, index: 0 };
  if (domain === 'positive') return uniform(key, count).map((value) => 0.5 + 1.5 * value);
  const values = normal(key, count);
  return domain === 'any' ? values : values.map((value) => value + 0.2 * (value < 0 ? -1 : 1));
}
