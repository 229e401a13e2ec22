import { describe, expect, it } from 'vitest';
import { resolveConfig } from '../../../src/pipeline/config/resolve.js';
import { dependantsOf, type JobGraph, type JobKind } from '../../../src/pipeline/sweep/graph.js';
import { graphOf } from '../../../src/pipeline/sweep/jobs.js';
import { plannedRuns, soleRun } from '../../../src/pipeline/sweep/members.js';
import { describeSweep, sweepGraphviz } from '../../../src/pipeline/sweep/planText.js';
import type { SweepFile } from '../../../src/pipeline/sweep/schema.js';

const DATA = { data: 'd'.repeat(64), given: null };

const graphFor = (file: SweepFile): JobGraph =>
  graphOf(plannedRuns({ file: { preset: 'tiny-test', ...file }, path: 'sweep.yaml' }), () => DATA);
const alone = (sets: string[], identity: Parameters<typeof graphOf>[1] = () => DATA): JobGraph =>
  graphOf(soleRun(resolveConfig({ preset: 'tiny-test', sets })), identity);

const count = ({ jobs }: JobGraph, kind: JobKind): number => jobs.filter((job) => job.kind === kind).length;
/** Names by kind, of those that a run has one of; of the others the first. */
const names = ({ jobs }: JobGraph): Record<string, string> =>
  Object.fromEntries([...jobs].reverse().map(({ kind, hash }) => [kind, hash]));
/** The kinds of which the first jobs have other names. */
const renamed = (one: JobGraph, other: JobGraph): string[] => {
  const [before, after] = [names(one), names(other)];
  return Object.keys(before).filter((kind) => before[kind] !== after[kind]);
};

describe('the jobs of a run', () => {
  it('are its stages, with a job for every expert and for every architecture and seed of the evaluation', () => {
    const graph = alone(['evaluate.transfer=[{ architecture: mlp }]', 'evaluate.seeds=3']);
    expect(graph.jobs.map(({ kind, part }) => [kind, part].join(' ').trim())).toEqual([
      'teacher',
      'targets',
      'expert 000',
      'expert 001',
      'subset',
      'distil',
      'evaluation student-000',
      'evaluation student-001',
      'evaluation student-002',
      'evaluation transfer-1-000',
      'evaluation transfer-1-001',
      'evaluation transfer-1-002',
      'report',
    ]);
    expect(graph.members[0]!.jobs).toEqual(graph.jobs.map(({ hash }) => hash));
  });

  it('read what their stages read', () => {
    const graph = alone(['evaluate.rows=[mkdt, trajectoryMatchingOnSsl]']);
    const kindOf = new Map(graph.jobs.map(({ hash, kind }) => [hash, kind]));
    const readBy = (kind: JobKind): string[] => [
      ...new Set(graph.jobs.find((job) => job.kind === kind)!.after.map((hash) => kindOf.get(hash)!)),
    ];
    expect(readBy('teacher')).toEqual([]);
    expect(readBy('expert')).toEqual(['targets']);
    expect(readBy('distil')).toEqual(['targets', 'expert', 'subset']);
    expect(readBy('selfSupervisedExperts')).toEqual([]);
    expect(readBy('evaluation')).toEqual(['targets', 'subset', 'distil', 'selfSupervised']);
    expect(readBy('report')).toHaveLength(8);
    expect(
      dependantsOf(graph)
        .get(names(graph).teacher!)!
        .map(({ kind }) => kind),
    ).toEqual(['targets', 'report']);
  });

  it('have none for a teacher where representations are given', () => {
    expect(count(alone(['targets.from=given.npy']), 'teacher')).toBe(0);
  });
});

describe("a job's name", () => {
  const before = alone([]);
  it('is the same for the same', () => {
    expect(alone([])).toEqual(before);
  });

  const all = Object.keys(names(before));
  it.each([
    ['the seed', alone(['seed=2']), all],
    ['the data', alone([], () => ({ ...DATA, data: 'e'.repeat(64) })), all],
    ['given representations', alone([], () => ({ ...DATA, given: 'e'.repeat(64) })), all],
    ["a teacher's setting", alone(['teacher.steps=6']), all],
    [
      "an expert's setting",
      alone(['experts.epochs=4']),
      ['expert', 'subset', 'distil', 'evaluation', 'report'],
    ],
    ['the number of experts', alone(['experts.count=3']), ['subset', 'distil', 'evaluation', 'report']],
    ['the size of the set', alone(['subset.fraction=0.06']), ['subset', 'distil', 'evaluation', 'report']],
    ["a distillation's setting", alone(['distil.steps=3']), ['distil', 'evaluation', 'report']],
    ["an evaluation's setting", alone(['evaluate.epochs=3']), ['evaluation', 'report']],
    ['the number of its seeds', alone(['evaluate.seeds=3']), ['report']],
    ['another architecture', alone(['evaluate.transfer=[{ architecture: mlp }]']), ['report']],
  ])('changes with %s, and no other does', (_, after, expected) => {
    expect(renamed(before, after).sort()).toEqual([...expected].sort());
  });
});

describe('the graph of a sweep', () => {
  it('has what runs share once', () => {
    const graph = graphFor({ grid: { 'distil.steps': [1, 2, 3] }, seeds: [1, 2] });
    const counts = { teacher: 2, targets: 2, expert: 4, subset: 2, distil: 6, evaluation: 12, report: 6 };
    expect(
      Object.fromEntries(Object.keys(counts).map((kind) => [kind, count(graph, kind as JobKind)])),
    ).toEqual(counts);
    // Behind those that they read.
    const place = new Map(graph.jobs.map(({ hash }, k) => [hash, k]));
    for (const { hash, after } of graph.jobs) {
      for (const read of after) expect(place.get(read)!).toBeLessThan(place.get(hash)!);
    }
    expect(describeSweep(graph)).toContain('34 jobs for 6 runs, which would be 54 if they shared none.');
  });

  it('shares a run that is asked for twice', () => {
    const graph = graphFor({ list: [{ name: 'a' }, { name: 'b' }] });
    expect(graph.jobs).toHaveLength(alone([]).jobs.length);
    expect(graph.members.map(({ name }) => name)).toEqual(['a,seed=1', 'b,seed=1']);
  });

  it('can have ten thousand jobs', () => {
    const graph = graphFor({
      config: { experts: { count: 40 } },
      grid: { 'distil.iterations': Array.from({ length: 100 }, (_, k) => k + 4) },
      seeds: Array.from({ length: 24 }, (_, k) => k),
    });
    const runs = 2400;
    expect(graph.jobs).toHaveLength(24 * (1 + 1 + 40 + 1) + runs * (1 + 2 + 1));
    expect(graph.jobs.length).toBeGreaterThan(10_000);
    expect(describeSweep(graph)).toMatch(/and 2388 more$/);
  });

  it('is drawn with every job and what it reads', () => {
    const graph = graphFor({ grid: { 'distil.steps': [1, 2] } });
    const text = sweepGraphviz(graph);
    expect(text).toMatch(/^digraph sweep \{/);
    for (const { hash, after } of graph.jobs) {
      expect(text).toContain(`"${hash}" [label=`);
      for (const read of after) expect(text).toContain(`"${read}" -> "${hash}";`);
    }
    expect(text).toContain('teacher\\n');
    expect(text).toContain('2 runs"');
  });
});
