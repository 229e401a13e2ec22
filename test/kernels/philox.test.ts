import { describe, expect, it } from 'vitest';
import { ConfigError, ShapeError } from '../../src/errors.js';
import {
  hashPurpose,
  integers,
  normal,
  permutation,
  philox4x32,
  type StreamKey,
  streamStart,
  uniform,
  uniformRange,
  words,
} from '../../src/kernels/philox.js';

const stream: StreamKey = { seed: 7, purpose: 'test', index: 3 };

function moments(values: ArrayLike<number>): { mean: number; variance: number } {
  const numbers = Array.from(values);
  const mean = numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
  return { mean, variance: numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / numbers.length };
}

describe('philox4x32', () => {
  // Known answers published with the authors' Random123 library.
  it.each([
    {
      name: 'zeros',
      counter: [0, 0, 0, 0],
      key: [0, 0],
      want: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    },
    {
      name: 'ones',
      counter: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      key: [0xffffffff, 0xffffffff],
      want: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    },
    {
      name: 'digits of pi',
      counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      key: [0xa4093822, 0x299f31d0],
      want: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    },
  ] as const)('gives the published answer for $name', ({ counter, key, want }) => {
    expect(philox4x32(counter, key)).toEqual(want);
  });
});

describe('a stream', () => {
  it('hashes its purpose with FNV-1a', () => {
    expect(hashPurpose('')).toBe(0x811c9dc5);
    expect(hashPurpose('a')).toBe(0xe40c292c);
    expect(hashPurpose('foobar')).toBe(0xbf9cf968);
  });

  it('is the blocks of its counter, one position after another', () => {
    const { counter, key } = streamStart(stream);
    const expected = [0, 1, 2].flatMap((position) => philox4x32([position, 3, 0, 0], key));
    expect(counter).toEqual([0, 3, 0, 0]);
    expect(key).toEqual([7, hashPurpose('test')]);
    expect(Array.from(words(stream, 10))).toEqual(expected.slice(0, 10));
  });

  it('gives a prefix of itself when asked for fewer numbers', () => {
    expect(Array.from(uniform(stream, 9))).toEqual(Array.from(uniform(stream, 100).subarray(0, 9)));
    expect(Array.from(normal(stream, 9))).toEqual(Array.from(normal(stream, 100).subarray(0, 9)));
  });

  it('differs from the streams of another seed, purpose or index, above 32 bits too', () => {
    const keys: StreamKey[] = [
      stream,
      { ...stream, seed: 8 },
      { ...stream, seed: 7 + 2 ** 32 },
      { ...stream, purpose: 'tess' },
      { ...stream, index: 4 },
      { ...stream, index: 3 + 2 ** 32 },
    ];
    expect(new Set(keys.map((key) => words(key, 4).join())).size).toBe(keys.length);
  });

  it('refuses seeds, indices and counts that are no whole numbers in range', () => {
    expect(() => words({ ...stream, seed: -1 }, 1)).toThrow(ConfigError);
    expect(() => words({ ...stream, seed: 2 ** 53 }, 1)).toThrow(ConfigError);
    expect(() => words({ ...stream, index: 0.5 }, 1)).toThrow(ShapeError);
    expect(() => normal(stream, -1)).toThrow(ShapeError);
  });
});

describe('distributions', () => {
  it('uniform is flat over [0, 1)', () => {
    const drawn = uniform(stream, 100_000);
    const { mean, variance } = moments(drawn);
    expect(mean).toBeCloseTo(0.5, 2);
    expect(variance).toBeCloseTo(1 / 12, 3);
    expect(drawn.every((x) => x >= 0 && x < 1)).toBe(true);
  });

  it('uniformRange stretches the same numbers over its range', () => {
    const unit = uniform(stream, 50);
    const stretched = uniformRange(stream, 50, -2, 6);
    expect(Array.from(stretched)).toEqual(Array.from(unit, (x) => Math.fround(-2 + 8 * x)));
    expect(() => uniformRange(stream, 1, 1, 0)).toThrow(ShapeError);
  });

  it('normal has the moments of the standard normal distribution', () => {
    const drawn = normal(stream, 100_001);
    const { mean, variance } = moments(drawn);
    expect(Math.abs(mean)).toBeLessThan(0.01);
    expect(Math.abs(variance - 1)).toBeLessThan(0.02);
    expect(Math.abs(moments(drawn.map((x) => x ** 3)).mean)).toBeLessThan(0.05);
    expect(Math.abs(moments(drawn.map((x) => x ** 4)).mean - 3)).toBeLessThan(0.12);
    expect(drawn.every(Number.isFinite)).toBe(true);
  });

  it('integers are flat over 0 … bound − 1', () => {
    const counts = new Float64Array(7);
    for (const value of integers(stream, 70_000, 7)) counts[value]!++;
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(400);
    const wide = integers(stream, 1000, 2 ** 31);
    expect(wide.every((x) => x >= 0)).toBe(true);
    expect(() => integers(stream, 1, 0)).toThrow(ShapeError);
  });

  it('permutation holds every place once and favours none', () => {
    expect(Array.from(permutation(stream, 1000)).sort((a, b) => a - b)).toEqual([...Array(1000).keys()]);
    expect(permutation(stream, 0)).toHaveLength(0);
    const firsts = new Float64Array(6);
    for (let index = 0; index < 6000; index++) firsts[permutation({ ...stream, index }, 6)[0]!]!++;
    for (const count of firsts) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });
});
