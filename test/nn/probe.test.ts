import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../src/errors.js';
import { normal } from '../../src/kernels/philox.js';
import { fitProbe, probeAccuracy, probeProbabilities } from '../../src/nn/probe.js';

/** Gaussian clouds around one centre a class. */
function clouds(count: number, dimension: number, classes: number) {
  const features = normal({ seed: 1, purpose: 'clouds', index: count }, count * dimension);
  const labels = Int32Array.from({ length: count }, (_, i) => i % classes);
  for (let i = 0; i < count; i++) features[i * dimension + (labels[i]! % dimension)]! += 4;
  return { features, labels };
}

describe('the probe', () => {
  it('separates clouds that are far apart', () => {
    const { features, labels } = clouds(150, 6, 3);
    const probe = fitProbe(features, labels, { classes: 3, dimension: 6, regularisation: 1e-3 });
    const test = clouds(301, 6, 3);
    expect(probe.converged).toBe(true);
    expect(probe.weights).toHaveLength(18);
    expect(probeAccuracy(probe, test.features, test.labels)).toBeGreaterThan(0.97);
    const probabilities = probeProbabilities(probe, test.features);
    for (let row = 0; row < probabilities.length; row += 3) {
      expect(probabilities[row]! + probabilities[row + 1]! + probabilities[row + 2]!).toBeCloseTo(1, 12);
    }
  });

  it('falls back to the class frequencies when the regularisation is strong: the bias is free', () => {
    const { features } = clouds(8, 3, 2);
    const labels = Int32Array.of(0, 0, 0, 0, 0, 0, 1, 1);
    const probe = fitProbe(features, labels, { classes: 2, dimension: 3, regularisation: 1e6 });
    const probabilities = probeProbabilities(probe, features);
    for (let row = 0; row < 16; row += 2) expect(probabilities[row]).toBeCloseTo(0.75, 5);
  });

  it('reaches the same probabilities whatever the order of the examples', () => {
    const { features, labels } = clouds(60, 5, 4);
    const options = { classes: 4, dimension: 5, regularisation: 1e-3 };
    const reversed = new Float32Array(features.length);
    for (let i = 0; i < 60; i++) reversed.set(features.subarray(i * 5, i * 5 + 5), (59 - i) * 5);
    const forwards = probeProbabilities(fitProbe(features, labels, options), features);
    const backwards = probeProbabilities(fitProbe(reversed, labels.toReversed(), options), features);
    forwards.forEach((probability, i) => {
      expect(backwards[i]).toBeCloseTo(probability, 6);
    });
  });

  it('gives a tie to the first class', () => {
    const probe = { weights: new Float64Array(4), bias: new Float64Array(2), optimum: 0, converged: true };
    expect(probeAccuracy(probe, new Float32Array(6), Int32Array.of(0, 1, 0))).toBeCloseTo(2 / 3, 12);
  });

  it('refuses features and labels that do not fit', () => {
    const options = { classes: 2, dimension: 3, regularisation: 1e-3 };
    const labels = Int32Array.of(0, 1);
    expect(() => fitProbe(new Float32Array(5), labels, options)).toThrow(ShapeError);
    expect(() => fitProbe(new Float32Array(9), labels, options)).toThrow(/2 labels for 3 rows/);
    expect(() => fitProbe(new Float32Array(6), Int32Array.of(0, 2), options)).toThrow(/label 2 of row 1/);
    const diverged = new Float32Array(6).fill(Number.NaN);
    expect(() => fitProbe(diverged, labels, options)).toThrow(/not finite/);
    expect(() => fitProbe(new Float32Array(6), labels, { ...options, classes: 1 })).toThrow(ShapeError);
  });
});
