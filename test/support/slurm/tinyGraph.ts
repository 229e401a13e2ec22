/** A small sweep as a graph: two members that share all up to their distillations. */
import {
  GRAPH_VERSION,
  type Job,
  type JobGraph,
  type JobKind,
  NAME_DIGITS,
} from '../../../src/pipeline/sweep/graph.js';

const COUNT = 3;
const SEEDS = 2;

/** Three experts, two distillations, and for each two evaluations and a report. */
export function tinyGraph(): JobGraph {
  const jobs: Job[] = [];
  const add = (kind: JobKind, after: readonly Job[], part?: string): Job => {
    const job: Job = {
      hash: (jobs.length + 1).toString(16).padStart(NAME_DIGITS, '0'),
      kind,
      ...(part === undefined ? {} : { part }),
      after: after.map(({ hash }) => hash),
      member: 'a',
    };
    jobs.push(job);
    return job;
  };
  const teacher = add('teacher', []);
  const targets = add('targets', [teacher]);
  const experts = Array.from({ length: COUNT }, (_, index) =>
    add('expert', [targets], String(index).padStart(3, '0')),
  );
  const subset = add('subset', experts);
  const shared = [teacher, targets, ...experts, subset];
  const distilled = ['a', 'b'].map((name) => ({ name, job: add('distil', [...experts, subset]) }));
  const members = distilled.map(({ name, job }) => {
    const evaluations = Array.from({ length: SEEDS }, (_, index) => add('evaluation', [job], String(index)));
    const report = add('report', [...shared, job, ...evaluations]);
    return {
      name,
      values: { 'distil.steps': name },
      seed: 1,
      data: null,
      given: null,
      jobs: [...shared, job, ...evaluations, report].map(({ hash }) => hash),
    };
  });
  return { version: GRAPH_VERSION, jobs, members };
}
