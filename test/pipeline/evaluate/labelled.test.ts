import { describe, expect, it } from 'vitest';
import { labelOrder } from '../../../src/pipeline/evaluate/labelled.js';

describe('the order of labels', () => {
  it('is a permutation whose prefixes hold the classes evenly', () => {
    const labels = Int32Array.from({ length: 100 }, (_, k) => k % 5);
    const order = labelOrder(labels, 5, 3, 0);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, k) => k));
    for (const count of [5, 20, 100]) {
      const counts = [0, 0, 0, 0, 0];
      for (const image of order.subarray(0, count)) counts[labels[image]!]!++;
      expect(counts).toEqual([1, 1, 1, 1, 1].map((one) => (one * count) / 5));
    }
  });

  it('differs between repetitions', () => {
    const labels = Int32Array.from({ length: 50 }, (_, k) => k % 5);
    expect(labelOrder(labels, 5, 3, 0)).not.toEqual(labelOrder(labels, 5, 3, 1));
  });
});
