import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../../src/errors.js';
import { normal } from '../../../src/kernels/philox.js';
import { divergence, gramMatrix, noiseOf } from '../../../src/pipeline/studies/statistics.js';

const noise = (...vectors: number[][]) => noiseOf(gramMatrix(vectors), vectors.length);

describe('gramMatrix', () => {
  it('holds every inner product, both ways round', () => {
    expect([
      ...gramMatrix([
        [1, 2],
        [3, -1],
        [0, 5],
      ]),
    ]).toEqual([5, 1, 10, 1, 10, -5, 10, -5, 25]);
  });

  it('refuses vectors of different lengths', () => {
    expect(() => gramMatrix([[1], [1, 2]])).toThrow(ShapeError);
  });
});

describe('noiseOf', () => {
  it('gives two vectors the variance, signal, ratio and cosine that one computes by hand', () => {
    // Mean (2, 1); deviations ±(1, −1): S² = (2 + 2)/1; M = ⟨v₁, v₂⟩ = 3·1 + 0·2.
    const { variance, signal, ratio, cosine } = noise([3, 0], [1, 2]);
    expect(variance).toBeCloseTo(4, 12);
    expect(signal).toBeCloseTo(3, 12);
    expect(ratio).toBeCloseTo(4 / 3, 12);
    expect(cosine).toBeCloseTo(1 / Math.sqrt(5), 12);
  });

  it('gives three vectors the jackknife of the ratios without one of them', () => {
    const [a, b, c] = [
      [2, 0],
      [1, 1],
      [3, 1],
    ] as [number[], number[], number[]];
    const ratios = [noise(b, c), noise(a, c), noise(a, b)].map(({ ratio }) => ratio!);
    const mean = (ratios[0]! + ratios[1]! + ratios[2]!) / 3;
    const squares = ratios.reduce((total, ratio) => total + (ratio - mean) ** 2, 0);
    expect(noise(a, b, c).ratioError).toBeCloseTo(Math.sqrt((2 / 3) * squares), 12);
  });

  it('finds no variance in equal vectors', () => {
    expect(noise([1, -2, 3], [1, -2, 3], [1, -2, 3])).toEqual({
      count: 3,
      variance: 0,
      signal: 14,
      ratio: 0,
      ratioError: 0,
      cosine: 1,
    });
  });

  it('names no ratio where the vectors show no mean, and no cosine where one of them is zero', () => {
    expect(noise([1, 0], [-1, 0])).toMatchObject({ signal: -1, ratio: null, ratioError: null, cosine: -1 });
    expect(noise([0, 0], [1, 0]).cosine).toBeNull();
  });

  it('is not biased by the number of vectors, as the variance of the mean and ‖v̄‖² are', () => {
    // v = μ + noise of variance 1 in each of 6 dimensions: E‖v − μ‖² = 6, ‖μ‖² = 0.25.
    const [dimensions, count, repetitions] = [6, 3, 4000];
    const random = normal({ seed: 3, purpose: 'test/noise', index: 0 }, dimensions * count * repetitions);
    let [variance, signal, variance2, signal2] = [0, 0, 0, 0];
    for (let r = 0; r < repetitions; r++) {
      const vectors = Array.from({ length: count }, (_, i) => {
        const at = (r * count + i) * dimensions;
        return Array.from(random.subarray(at, at + dimensions), (value, k) => value + (k === 0 ? 0.5 : 0));
      });
      const found = noiseOf(gramMatrix(vectors), count);
      variance += found.variance / repetitions;
      signal += found.signal / repetitions;
      variance2 += found.variance ** 2 / repetitions;
      signal2 += found.signal ** 2 / repetitions;
    }
    // Four standard errors; the biased variance would be off by 2, ‖v̄‖² by 2 as well.
    const error = (square: number, mean: number) => 4 * Math.sqrt((square - mean ** 2) / repetitions);
    expect(error(variance2, variance)).toBeLessThan(0.3);
    expect(Math.abs(variance - 6)).toBeLessThan(error(variance2, variance));
    expect(error(signal2, signal)).toBeLessThan(0.1);
    expect(Math.abs(signal - 0.25)).toBeLessThan(error(signal2, signal));
  });

  it.each([
    [1, 1],
    [2, 3],
  ])('refuses %i vectors with %i inner products', (count, products) => {
    expect(() => noiseOf(new Float64Array(products), count)).toThrow(ShapeError);
  });
});

describe('divergence', () => {
  it('is the mean squared distance between pairs over the mean squared length', () => {
    // Distances² 2, 5, 5; lengths² 1, 1, 4.
    const gram = gramMatrix([[1, 0], [0, 1], [-1, -1].map((x) => x * Math.SQRT2)]);
    const distances = [2, 5 + 2 * Math.SQRT2, 5 + 2 * Math.SQRT2];
    expect(divergence(gram, 3)).toBeCloseTo((distances[0]! + distances[1]! + distances[2]!) / 3 / 2, 12);
  });

  it('is 0 for trainings that go the same way, 2 for ones at right angles, and null before the first step', () => {
    const of = (...vectors: number[][]) => divergence(gramMatrix(vectors), vectors.length);
    expect(of([1, 2], [1, 2])).toBe(0);
    expect(of([1, 0], [0, 1])).toBeCloseTo(2, 12);
    expect(of([0, 0], [0, 0])).toBeNull();
  });
});
