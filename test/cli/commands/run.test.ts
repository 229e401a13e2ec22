import { describe, expect, it } from 'vitest';
import { commandOf, describeResult } from '../../../src/cli/commands/run.js';
import type { ResultRow, RunResult } from '../../../src/pipeline/report/types.js';

const row = (name: string, labels: number, mean: number, deviation: number): ResultRow => ({
  name,
  labels,
  mean,
  deviation,
  seeds: 5,
});

const result: RunResult = {
  device: { name: 'some device', kind: 'software', bundled: false },
  dataset: 'mnist',
  rows: [
    row('random subset', 0.05, 0.7823, 0.0104),
    row('random subset', 0.01, 0.5681, 0.0251),
    row('MKDT', 0.05, 0.8254, 0.0086),
    row('MKDT', 0.01, 1, 0),
    row('teacher', 0.05, 0.91, 0.004),
  ],
  heldOutError: [],
  transfer: [],
  trajectoryLoss: { first: 0.8804, last: 0.5031 },
  innerStep: { first: 0.1, last: 0.6 },
  seconds: {},
};

describe('describeResult', () => {
  it('aligns accuracies in per cent by encoder and share of labels', () => {
    expect(describeResult(result).split('\n')).toEqual([
      'Test accuracy of a linear probe in %, mean ± standard deviation over 5 seeds:',
      'encoder        1 % of labels  5 % of labels',
      'random subset     56.8 ± 2.5     78.2 ± 1.0',
      'MKDT             100.0 ± 0.0     82.5 ± 0.9',
      'teacher                    –     91.0 ± 0.4',
      'Trajectory loss 0.88 → 0.503 (means over the first and the last iterations)',
    ]);
  });

  it('shows a table for each other architecture', () => {
    const transfer = [
      { student: 'MLP, 1 layer of 4', rows: [row('MKDT', 0.05, 0.5, 0.01)], heldOutError: [] },
    ];
    expect(describeResult({ ...result, transfer })).toContain(
      '\nThe same for another architecture: MLP, 1 layer of 4\nencoder  5 % of labels\nMKDT        50.0 ± 1.0\nTrajectory',
    );
  });
});

describe('commandOf', () => {
  it('names the preset also where it is the default', () => {
    expect(commandOf(undefined, {})).toBe('hypergrad run --preset mnist-small');
    expect(commandOf('my.yaml', {})).toBe('hypergrad run my.yaml');
  });

  it('holds all that the result depends on, quoted for a shell, and not where it is put', () => {
    const flags = {
      preset: 'tiny-test',
      data: "it's here",
      out: 'runs/x',
      seed: '3',
      set: ['evaluate.labels=[0.05, 0.2]', 'distil.steps=3'],
      device: 'software',
      json: true,
    } as const;
    expect(commandOf('a.yaml', flags)).toBe(
      "hypergrad run a.yaml --preset tiny-test --data 'it'\\''s here' --seed 3 --device software " +
        "--set 'evaluate.labels=[0.05, 0.2]' --set distil.steps=3",
    );
  });
});
