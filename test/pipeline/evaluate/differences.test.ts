import { describe, expect, it } from 'vitest';
import { bestBaselines, rowDifferences, signOf } from '../../../src/pipeline/evaluate/differences.js';

const rows = [
  { name: 'random encoder', labels: 0.1, accuracies: [0.4, 0.4] },
  { name: 'random subset', labels: 0.1, accuracies: [0.5, 0.6] },
  { name: 'high-loss subset', labels: 0.1, accuracies: [0.6, 0.7] },
  { name: 'MKDT', labels: 0.1, accuracies: [0.7, 0.75] },
  { name: 'all data', labels: 0.1, accuracies: [0.9, 0.9] },
  { name: 'random subset', labels: 0.5, accuracies: [0.8, 0.9] },
  { name: 'MKDT', labels: 0.5, accuracies: [0.7, 0.8] },
];

describe('differences of rows', () => {
  it('are paired by seed, at each share of labels that both have', () => {
    const found = rowDifferences({ rows });
    expect(found.map(({ against, labels }) => [against, labels])).toEqual([
      ['random encoder', 0.1],
      ['random subset', 0.1],
      ['high-loss subset', 0.1],
      ['all data', 0.1],
      ['random subset', 0.5],
    ]);
    const [, random] = found;
    // 0.2 and 0.15: a deviation of √(2 · 0.025² / 1 / 2).
    expect(random).toMatchObject({ n: 2 });
    expect(random!.mean).toBeCloseTo(0.175, 9);
    expect(random!.deviationOfMean).toBeCloseTo(0.025, 9);
  });

  it('have no deviation of one seed', () => {
    const single = rows.map((row) => ({ ...row, accuracies: row.accuracies.slice(0, 1) }));
    expect(rowDifferences({ rows: single })[0]!.deviationOfMean).toBeNull();
  });

  it('are to the best of those that saw no more images, whatever all data or the teacher reach', () => {
    expect(bestBaselines({ rows }).map(({ against, labels }) => [against, labels])).toEqual([
      ['high-loss subset', 0.1],
      ['random subset', 0.5],
    ]);
    expect(bestBaselines({ rows: rows.filter(({ name }) => name !== 'MKDT') })).toEqual([]);
  });

  it('are clear beyond twice their deviation, and of one seed never', () => {
    const of = (mean: number, deviationOfMean: number | null) => signOf({ mean, deviationOfMean, n: 5 });
    expect([of(0.21, 0.1), of(-0.21, 0.1), of(0.19, 0.1), of(-0.19, 0.1), of(0, 0)]).toEqual([
      1, -1, 0, 0, 0,
    ]);
    expect(of(0.5, null)).toBeNull();
  });
});
