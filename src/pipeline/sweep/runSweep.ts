/** A sweep's jobs in the order that they allow: as many at a time as there are workers, whatever fails. */
import { InterruptedError } from '../../errors.js';
import { dependantsOf, type Job, type JobGraph } from './graph.js';
import type { JobOutcome } from './runJob.js';

/** Told what becomes of jobs. */
export interface SweepListener {
  begun(job: Job): void;
  done(job: Job, outcome: JobOutcome): void;
  failed(job: Job, error: unknown): void;
}

export interface SweepOptions {
  readonly graph: JobGraph;
  /** Names of the jobs whose results are there. */
  readonly finished: ReadonlySet<string>;
  /** Jobs that run at a time. */
  readonly workers: number;
  /** Runs one job. Rejects with `InterruptedError` where it was stopped, and with anything else where it failed. */
  readonly execute: (job: Job) => Promise<JobOutcome>;
  /** When it is aborted no more jobs begin; those that run are `execute`'s to stop. */
  readonly signal?: AbortSignal;
  readonly listener: SweepListener;
}

/** What became of all jobs of a sweep. */
export interface SweepOutcome {
  /** Jobs of which the results were there before. */
  readonly found: number;
  /** Jobs that were done now. */
  readonly done: readonly JobOutcome[];
  readonly failed: readonly { readonly job: Job; readonly error: unknown }[];
  /** Jobs that were not begun, because one that they read has failed. */
  readonly blocked: readonly Job[];
  readonly isStopped: boolean;
}

/**
 * Runs all jobs that are not done. One that fails blocks those that read its result; all others go on. Among the jobs that can
 * begin, the one with the longest chain of others behind it comes first.
 */
export async function runSweep(options: SweepOptions): Promise<SweepOutcome> {
  const { graph, finished, workers, execute, signal, listener } = options;
  const dependants = dependantsOf(graph);
  const wanted = graph.jobs.filter(({ hash }) => !finished.has(hash));
  const missing = new Map(
    wanted.map((job) => [job.hash, job.after.filter((hash) => !finished.has(hash)).length]),
  );
  const depths = depthsOf(graph, dependants);
  const ready = wanted.filter(({ hash }) => missing.get(hash) === 0);
  const blocked = new Set<string>();
  const done: JobOutcome[] = [];
  const failed: { readonly job: Job; readonly error: unknown }[] = [];
  let isStopped = false;

  const block = (job: Job): void => {
    for (const next of dependants.get(job.hash)!) {
      if (blocked.has(next.hash) || finished.has(next.hash)) continue;
      blocked.add(next.hash);
      block(next);
    }
  };
  const next = (): Job | undefined => {
    let best = 0;
    for (let k = 1; k < ready.length; k++) {
      if (depths.get(ready[k]!.hash)! > depths.get(ready[best]!.hash)!) best = k;
    }
    return ready.splice(best, 1)[0];
  };
  const run = async (job: Job): Promise<void> => {
    listener.begun(job);
    try {
      const outcome = await execute(job);
      done.push(outcome);
      listener.done(job, outcome);
      for (const reader of dependants.get(job.hash)!) {
        const left = missing.get(reader.hash);
        if (left === undefined) continue;
        missing.set(reader.hash, left - 1);
        if (left === 1) ready.push(reader);
      }
    } catch (error) {
      if (error instanceof InterruptedError) {
        isStopped = true;
        return;
      }
      failed.push({ job, error });
      block(job);
      listener.failed(job, error);
    }
  };

  const running = new Set<Promise<void>>();
  for (;;) {
    while (running.size < workers && ready.length > 0 && !isStopped && signal?.aborted !== true) {
      const work = run(next()!).finally(() => running.delete(work));
      running.add(work);
    }
    if (running.size === 0) break;
    await Promise.race(running);
  }
  return {
    found: graph.jobs.length - wanted.length,
    done,
    failed,
    blocked: wanted.filter(({ hash }) => blocked.has(hash)),
    isStopped: isStopped || signal?.aborted === true,
  };
}

/** How many jobs stand behind each in the longest chain of those that wait for it. */
function depthsOf({ jobs }: JobGraph, dependants: ReadonlyMap<string, readonly Job[]>): Map<string, number> {
  const depths = new Map<string, number>();
  for (const { hash } of [...jobs].reverse()) {
    // Not by spreading them: there may be more readers than a call can have arguments.
    const deepest = (most: number, job: Job): number => Math.max(most, 1 + depths.get(job.hash)!);
    depths.set(hash, dependants.get(hash)!.reduce(deepest, 0));
  }
  return depths;
}
