import { describe, expect, it } from 'vitest';
import { DataError, InterruptedError } from '../../../src/errors.js';
import { resolveConfig } from '../../../src/pipeline/config/resolve.js';
import { type Job, jobInWords } from '../../../src/pipeline/sweep/graph.js';
import { graphOf } from '../../../src/pipeline/sweep/jobs.js';
import { soleRun } from '../../../src/pipeline/sweep/members.js';
import { runSweep, type SweepOptions } from '../../../src/pipeline/sweep/runSweep.js';

const graph = graphOf(soleRun(resolveConfig({ preset: 'tiny-test', sets: ['experts.count=4'] })), () => ({
  data: 'd'.repeat(64),
  given: null,
}));
const listener = { begun() {}, done() {}, failed() {} };

/** Runs the graph by jobs that take a moment each; what began, in order, and how many ran at a time. */
async function run(options: Partial<SweepOptions> = {}, work: (job: Job) => void | Promise<void> = () => {}) {
  const begun: string[] = [];
  const ended = new Set<string>(options.finished);
  let running = 0;
  let most = 0;
  const outcome = await runSweep({
    ...{ graph, finished: new Set<string>(), workers: 3, listener, ...options },
    async execute(job) {
      for (const read of job.after) expect(ended).toContain(read);
      begun.push(jobInWords(job));
      most = Math.max(most, ++running);
      try {
        await new Promise((resolve) => setImmediate(resolve));
        await work(job);
        ended.add(job.hash);
        return { hash: job.hash, wasDone: false, seconds: 1 };
      } finally {
        running--;
      }
    },
  });
  return { begun, most, outcome };
}

describe('a sweep', () => {
  it('begins each job behind those that it reads, and as many at a time as there are workers', async () => {
    const { begun, most, outcome } = await run();
    expect(begun).toHaveLength(graph.jobs.length);
    expect(new Set(begun).size).toBe(begun.length);
    expect(begun.at(-1)).toBe('report');
    expect(most).toBe(3);
    expect(outcome).toMatchObject({ found: 0, failed: [], blocked: [], isStopped: false });
    expect((await run({ workers: 1 })).most).toBe(1);
  });

  it('leaves alone what is done', async () => {
    const finished = new Set(graph.jobs.slice(0, 4).map(({ hash }) => hash));
    const { begun, outcome } = await run({ finished });
    expect(begun.slice(0, 2)).toEqual(['expert 002', 'expert 003']);
    expect(outcome.found).toBe(4);
  });

  it('can have more jobs that read one than a call can have arguments', async () => {
    const teacher = graph.jobs[0]!;
    const readers = Array.from({ length: 200_000 }, (_, k) => ({ hash: String(k), after: [teacher.hash] }));
    const many = { ...graph, jobs: [teacher, ...readers.map((reader) => ({ ...teacher, ...reader }))] };
    const { begun } = await run({ graph: many, finished: new Set(readers.map(({ hash }) => hash)) });
    expect(begun).toEqual(['teacher']);
  });

  it('goes on around a job that fails, and begins none that reads its result', async () => {
    const { begun, outcome } = await run({}, (job) => {
      if (job.part === '001' && job.kind === 'expert') throw new DataError('broken');
    });
    expect(begun.filter((name) => name.startsWith('expert'))).toHaveLength(4);
    expect(begun).not.toContain('subset');
    expect(outcome.failed.map(({ job }) => jobInWords(job))).toEqual(['expert 001']);
    expect(outcome.blocked.map(jobInWords)).toEqual([
      'subset',
      'distil',
      'evaluation student-000',
      'evaluation student-001',
      'report',
    ]);
    expect(outcome.isStopped).toBe(false);
  });

  it('begins nothing more when it is to stop, and waits for what runs', async () => {
    const stopping = new AbortController();
    const { begun, outcome } = await run({ signal: stopping.signal, workers: 2 }, (job) => {
      if (job.part === '000') stopping.abort();
      if (stopping.signal.aborted) throw new InterruptedError('Stopped.');
    });
    expect(begun).toEqual(['teacher', 'targets', 'expert 000', 'expert 001']);
    expect(outcome).toMatchObject({ failed: [], blocked: [], isStopped: true });
  });
});
