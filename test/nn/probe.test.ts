import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../src/errors.js';
import { normal } from '../../src/kernels/philox.js';
import { fitProbe, probeAccuracy, probeProbabilities } from '../../src/nn/probe.js';

const goldenFile = '../shared/golden/probe_200x32x10.safetensors';

/** The part of the safetensors format that the reference case uses: named float32 and int32 arrays. */
function readGolden(file: string) {
  const bytes = readFileSync(file);
  const headerLength = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, 8 + headerLength).toString('utf8'));
  const data = (name: string): ArrayBuffer => {
    const [begin, end] = header[name].data_offsets as [number, number];
    return new Uint8Array(bytes.subarray(8 + headerLength + begin, 8 + headerLength + end)).buffer;
  };
  return {
    floats: (name: string) => new Float32Array(data(name)),
    integers: (name: string) => new Int32Array(data(name)),
    config: JSON.parse(header.__metadata__.config) as { classes: number; regularisation: number },
    tolerance: JSON.parse(header.__metadata__.tol) as Record<string, { rel: number; abs: number }>,
    dimension: header['in.features'].shape[1] as number,
  };
}

function norm(values: ArrayLike<number>): number {
  return Math.sqrt(Array.from(values).reduce((sum, x) => sum + x * x, 0));
}

/** Gaussian clouds around one centre a class. */
function clouds(count: number, dimension: number, classes: number) {
  const features = normal({ seed: 1, purpose: 'clouds', index: count }, count * dimension);
  const labels = Int32Array.from({ length: count }, (_, i) => i % classes);
  for (let i = 0; i < count; i++) features[i * dimension + (labels[i]! % dimension)]! += 4;
  return { features, labels };
}

describe('the probe', () => {
  const missing = existsSync(goldenFile) ? '' : ' (skipped: the reference cases are not here)';
  it.skipIf(missing !== '')(`agrees with the reference case${missing}`, () => {
    const golden = readGolden(goldenFile);
    const features = golden.floats('in.testFeatures');
    const labels = golden.integers('idx.testLabels');
    const probe = fitProbe(golden.floats('in.features'), golden.integers('idx.labels'), {
      ...golden.config,
      dimension: golden.dimension,
    });
    expect(probe.converged).toBe(true);
    const outputs: Record<string, ArrayLike<number>> = {
      optimum: [probe.optimum],
      testAccuracy: [probeAccuracy(probe, features, labels)],
      testProbabilities: probeProbabilities(probe, features),
    };
    for (const [name, got] of Object.entries(outputs)) {
      const want = golden.floats(`out.${name}`);
      const { rel, abs } = golden.tolerance[name]!;
      const distance = norm(Array.from(want, (value, i) => value - got[i]!));
      expect(got, name).toHaveLength(want.length);
      expect(distance, name).toBeLessThanOrEqual(rel * norm(want) + abs);
    }
  });

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
