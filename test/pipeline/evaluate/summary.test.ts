import { describe, expect, it } from 'vitest';
import { evaluationOf } from '../../../src/pipeline/evaluate/record.js';
import { summariseTable, summariseTransfer } from '../../../src/pipeline/evaluate/summary.js';

const table = {
  rows: [{ name: 'MKDT', labels: 0.01, accuracies: [0.5, 0.25, 0.75] }],
  heldOut: [{ name: 'MKDT', errors: [1, 3] }],
};

describe('a summary', () => {
  it('holds the mean and the population standard deviation over the seeds', () => {
    const { rows, heldOutError } = summariseTable(table);
    expect(rows).toEqual([
      { name: 'MKDT', labels: 0.01, mean: 0.5, deviation: Math.sqrt(0.125 / 3), seeds: 3 },
    ]);
    expect(heldOutError).toEqual([{ name: 'MKDT', mean: 2, deviation: 1 }]);
  });

  it('names each architecture', () => {
    const [first] = summariseTransfer(
      evaluationOf(table, [{ student: { architecture: 'resNet18', width: 8 }, ...table }]),
    );
    expect(first).toMatchObject({ student: 'ResNet-18, width 8', rows: [{ mean: 0.5 }] });
  });
});
