import { describe, expect, it } from 'vitest';
import type { Job } from '../../../../src/pipeline/sweep/graph.js';
import { arraysOf, dependencyIds } from '../../../../src/pipeline/sweep/slurm/arrays.js';
import { tinyGraph } from '../../../support/slurm/tinyGraph.js';

const graph = tinyGraph();
const everything = new Set(graph.jobs.map(({ hash }) => hash));
const request = { minutes: 10, mebibytes: 512 };
const options = {
  wanted: everything,
  queued: new Map<string, string>(),
  requestOf: () => request,
  mostTasks: 1000,
};
const kinds = (arrays: readonly { kind: string; jobs: readonly string[] }[]): string[] =>
  arrays.map(({ kind, jobs }) => `${kind} × ${jobs.length}`);

describe('arraysOf', () => {
  it('makes one array of jobs of a kind that wait for the same', () => {
    expect(kinds(arraysOf(graph, options))).toEqual([
      'teacher × 1',
      'targets × 1',
      'expert × 3',
      'subset × 1',
      'distil × 2',
      'evaluation × 2',
      'report × 1',
      'evaluation × 2',
      'report × 1',
    ]);
  });

  it('waits for whole arrays by one id, and for single tasks by theirs', () => {
    const arrays = arraysOf(graph, options);
    const numbers = new Map(arrays.map(({ name }, index) => [name, 100 + index]));
    const idsOf = (index: number): string[] => dependencyIds(arrays[index]!.waitsFor, numbers);
    expect(idsOf(0)).toEqual([]);
    expect(idsOf(2)).toEqual(['101']);
    // The subset waits for all experts; the second member's evaluation for the second distillation alone.
    expect(idsOf(3)).toContain('102');
    expect(idsOf(7)).toContain('104_1');
    expect(idsOf(7).join()).not.toContain('104_0');
  });

  it('waits for what is queued already, and not for what is done', () => {
    const wanted = new Set(graph.jobs.filter(({ kind }) => kind === 'subset').map(({ hash }) => hash));
    const queued = new Map([[graph.jobs.find(({ part }) => part === '001')!.hash, '7_1']]);
    const [subset, ...others] = arraysOf(graph, { ...options, wanted, queued });
    expect(others).toEqual([]);
    expect(dependencyIds(subset!.waitsFor, new Map())).toEqual(['7_1']);
  });

  it('takes arrays apart that are larger than SLURM takes, and waits for all of their parts', () => {
    const arrays = arraysOf(graph, { ...options, mostTasks: 2 });
    const experts = arrays.filter(({ kind }) => kind === 'expert');
    expect(kinds(experts)).toEqual(['expert × 2', 'expert × 1']);
    const subset = arrays.find(({ kind }) => kind === 'subset')!;
    expect(subset.waitsFor).toEqual(
      expect.arrayContaining(experts.map(({ name }) => ({ array: name, tasks: null }))),
    );
  });

  it('keeps jobs apart that are given different limits', () => {
    const requestOf = ({ part }: Job) => ({ ...request, minutes: part === '002' ? 60 : 10 });
    expect(kinds(arraysOf(graph, { ...options, requestOf }))).toEqual(
      expect.arrayContaining(['expert × 2', 'expert × 1']),
    );
  });

  it('puts every array behind those that it waits for, names it by its jobs, and has each job once', () => {
    const arrays = arraysOf(graph, options);
    const before = new Set<string>();
    for (const { name, waitsFor } of arrays) {
      for (const each of waitsFor) expect('array' in each && before.has(each.array)).toBe(true);
      before.add(name);
    }
    expect(before.size).toBe(arrays.length);
    expect(arrays.flatMap(({ jobs }) => jobs).sort()).toEqual([...everything].sort());
    expect(arraysOf(graph, options).map(({ name }) => name)).toEqual(arrays.map(({ name }) => name));
  });
});
