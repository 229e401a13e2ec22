import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/errors.js';
import { type ComparedRun, compareRuns } from '../../../src/pipeline/compare/compareRuns.js';
import { resolveConfig } from '../../../src/pipeline/config/resolve.js';
import {
  type Evaluation,
  type EvaluationTable,
  evaluationOf,
} from '../../../src/pipeline/evaluate/record.js';

const row = (name: string, labels: number, ...accuracies: number[]) => ({ name, labels, accuracies });

function table(mkdt: number[], random: number[], highLoss: number[]): EvaluationTable {
  return {
    rows: [
      row('random subset', 0.05, ...random),
      row('high-loss subset', 0.05, ...highLoss),
      row('MKDT', 0.05, ...mkdt),
    ],
    heldOut: [{ name: 'MKDT', errors: mkdt.map((accuracy) => 1 - accuracy) }],
  };
}

function run(
  name: string,
  seed: number,
  evaluation: EvaluationTable,
  sets: string[] = [],
  transfer: Evaluation['transfer'] = [],
): ComparedRun {
  const config = resolveConfig({ preset: 'tiny-test', seed, sets });
  return { name, config, device: 'made up', evaluation: evaluationOf(evaluation, transfer) };
}

const a = run('a', 1, table([0.6, 0.8], [0.5, 0.6], [0.7, 0.7]));
const b = run('b', 2, table([0.9, 0.9], [0.6, 0.8], [0.5, 0.9]));

describe('a run by itself', () => {
  it('has means, population deviations, and differences paired by evaluation seed', () => {
    const { tables, groups } = compareRuns([a]);
    const [own] = tables;
    expect(
      own!.rows.map(({ name, runs }) => [
        name,
        runs[0]!.mean.toFixed(6),
        runs[0]!.deviation.toFixed(6),
        runs[0]!.n,
      ]),
    ).toEqual([
      ['random subset', '0.550000', '0.050000', 2],
      ['high-loss subset', '0.700000', '0.000000', 2],
      ['MKDT', '0.700000', '0.100000', 2],
    ]);
    // 0.1 and 0.2: sample deviation 0.1/√2, of the mean 0.05.
    const [overRandom, overHighLoss] = own!.differences;
    expect(overRandom).toMatchObject({ of: 'MKDT', against: 'random subset', labels: 0.05, groups: [null] });
    expect(overRandom!.runs[0]!.mean).toBeCloseTo(0.15, 12);
    expect(overRandom!.runs[0]!.deviationOfMean).toBeCloseTo(0.05, 12);
    expect(overHighLoss!.runs[0]).toMatchObject({ n: 2 });
    expect(overHighLoss!.runs[0]!.mean).toBeCloseTo(0, 12);
    expect(overHighLoss!.runs[0]!.deviationOfMean).toBeCloseTo(0.1, 12);
    expect(groups).toEqual([{ settings: {}, seeds: [1] }]);
    expect(own!.rows.every(({ groups: [group] }) => group === null)).toBe(true);
  });

  it('of one evaluation seed has differences without a spread', () => {
    const [own] = compareRuns([run('c', 1, table([0.5], [0.25], [0.5]))]).tables;
    expect(own!.differences[0]!.runs).toEqual([{ mean: 0.25, deviationOfMean: null, n: 1 }]);
  });
});

describe('runs that differ in the seed alone', () => {
  it('are taken together: the mean of their means, and its deviation, over runs', () => {
    const { groups, runs, tables } = compareRuns([a, b]);
    expect(groups).toEqual([{ settings: {}, seeds: [1, 2] }]);
    expect(runs).toEqual([
      { name: 'a', seed: 1, group: 0 },
      { name: 'b', seed: 2, group: 0 },
    ]);
    const mkdt = tables[0]!.rows.find(({ name }) => name === 'MKDT')!;
    expect(mkdt.groups[0]!.n).toBe(2);
    expect(mkdt.groups[0]!.mean).toBeCloseTo(0.8, 12);
    expect(mkdt.groups[0]!.deviation).toBeCloseTo(0.1, 12);
    // Mean differences 0.15 and 0.2.
    const [group] = tables[0]!.differences[0]!.groups;
    expect(group!.n).toBe(2);
    expect(group!.mean).toBeCloseTo(0.175, 12);
    expect(group!.deviationOfMean).toBeCloseTo(0.025, 12);
    expect(tables[0]!.heldOut[0]!.groups[0]!.mean).toBeCloseTo(0.2, 12);
  });

  it('are also those of which more was measured', () => {
    const more = run('more', 3, table([1, 1], [0, 0], [0, 0]), [
      'evaluate.rows=[mkdt, randomSubset]',
      'evaluate.labels=[0.05]',
      'distil.snapshots=1',
      'evaluate.transfer=[{architecture: mlp}]',
    ]);
    expect(compareRuns([a, more]).groups).toEqual([{ settings: {}, seeds: [1, 3] }]);
  });

  it('give the same comparison in any order, but for the columns', () => {
    const shares = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(fc.array(fc.tuple(shares, shares, shares), { minLength: 2, maxLength: 5 }), (numbers) => {
        const made = numbers.map((each, seed) => run(`run${seed}`, seed, table(...each)));
        const [forth, back] = [compareRuns(made), compareRuns([...made].reverse())];
        for (const [place, { groups, runs }] of forth.tables[0]!.rows.entries()) {
          const other = back.tables[0]!.rows[place]!;
          expect(other.runs).toEqual([...runs].reverse());
          expect(other.groups[0]!.mean).toBeCloseTo(groups[0]!.mean, 12);
          expect(other.groups[0]!.deviation).toBeCloseTo(groups[0]!.deviation, 12);
        }
      }),
      { seed: 1, numRuns: 20 },
    );
  });
});

describe('runs of different settings', () => {
  const other = run('other', 1, table([0.1, 0.2], [0.3, 0.4], [0.5, 0.6]), ['distil.steps=3']);

  it('stand beside each other, each group called by what differs', () => {
    const { groups, runs, tables } = compareRuns([a, other, b]);
    expect(groups).toEqual([
      { settings: { 'distil.steps': '2' }, seeds: [1, 2] },
      { settings: { 'distil.steps': '3' }, seeds: [1] },
    ]);
    expect(runs.map(({ name }) => name)).toEqual(['a', 'b', 'other']);
    const mkdt = tables[0]!.rows.find(({ name }) => name === 'MKDT')!;
    expect(mkdt.runs.map((figure) => figure!.mean.toFixed(2))).toEqual(['0.70', '0.90', '0.15']);
    expect(mkdt.groups[1]).toBeNull();
  });

  it('leave a gap where a row, a share or an architecture was not evaluated', () => {
    const sparse = run(
      'sparse',
      3,
      { rows: [row('MKDT', 0.2, 0.5, 0.5)], heldOut: [] },
      [],
      [{ student: { architecture: 'mlp', depth: 1, width: 2 }, ...table([1], [0], [0]) }],
    );
    const { tables } = compareRuns([a, sparse]);
    expect(tables.map(({ student }) => student)).toEqual(['', 'MLP, 1 layer of 2']);
    expect(tables[0]!.rows.map(({ name, labels }) => [name, labels])).toEqual([
      ['random subset', 0.05],
      ['high-loss subset', 0.05],
      ['MKDT', 0.05],
      ['MKDT', 0.2],
    ]);
    expect(tables[0]!.rows.at(-1)!.runs).toEqual([null, { mean: 0.5, deviation: 0, n: 2 }]);
    // One run alone has the number: there is no mean over runs.
    expect(tables[0]!.rows.at(-1)!.groups).toEqual([null]);
    expect(tables[0]!.heldOut[0]!.runs[1]).toBeNull();
    expect(tables[1]!.differences.map(({ runs }) => runs[0])).toEqual([null, null]);
  });

  it('are not one group where the devices differ', () => {
    const { groups } = compareRuns([a, { ...b, device: 'another' }]);
    expect(groups.map(({ settings }) => settings)).toEqual([{ device: 'made up' }, { device: 'another' }]);
  });
});

describe('what cannot be compared', () => {
  const numbers = table([0.1], [0.2], [0.3]);

  it('is told with the field in which the data differ', () => {
    const fewer = run('fewer', 2, numbers, ['data.train=201']);
    expect(() => compareRuns([a, fewer])).toThrow(ConfigError);
    expect(() => compareRuns([a, fewer])).toThrow(
      'a and fewer cannot be compared, because they have different data: data.train is 200 in the one and 201 in the other.',
    );
  });

  it('is not where official files merely lie elsewhere', () => {
    const moved = run('moved', 2, table([1, 1], [0, 0], [0, 0]), ['data.folder=elsewhere']);
    expect(compareRuns([a, moved]).groups).toHaveLength(1);
  });

  it('is the same run twice, or none at all', () => {
    expect(() => compareRuns([a, { ...a, name: 'copy' }])).toThrow(/^a and copy are the same run: .*seed 1/);
    expect(() => compareRuns([])).toThrow(ConfigError);
  });
});
