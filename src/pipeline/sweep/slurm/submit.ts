/** A sweep's missing jobs, handed to SLURM. */
import type { Job, JobGraph, JobKind } from '../graph.js';
import { arraysOf, dependencyIds, type JobArray } from './arrays.js';
import type { ResourceRequest } from './request.js';
import { type Slurm, USUAL_MOST_TASKS } from './scheduler.js';
import { type ScriptOptions, scriptText, submitText } from './script.js';
import type { SlurmFolder } from './slurmFolder.js';
import { FORGOTTEN, NEVER_SATISFIED } from './tasks.js';
import { isActive, type QueuedJob, readSlurmView } from './view.js';

/** What is to be submitted. */
export interface SubmitOptions extends Omit<ScriptOptions, 'sweepName' | 'folder'> {
  readonly graph: JobGraph;
  /** Names of the jobs whose results are there. */
  readonly done: ReadonlySet<string>;
  readonly folder: SlurmFolder;
  readonly slurm: Slurm;
  readonly requestOf: (job: Job) => ResourceRequest;
  /** Whether scripts are only written. */
  readonly isDryRun?: boolean;
  /** Told of each array once SLURM has it. */
  readonly submitted?: (array: SubmittedArray) => void;
}

/** An array that was submitted, or of a dry run. */
export interface SubmittedArray {
  readonly name: string;
  readonly kind: JobKind;
  /** How many tasks it has. */
  readonly tasks: number;
  /** Number that SLURM gave it; null in a dry run. */
  readonly number: number | null;
}

/** What a submission came to. */
export interface SubmissionReport {
  readonly arrays: readonly SubmittedArray[];
  /** How many jobs are done. */
  readonly done: number;
  /** How many SLURM had already. */
  readonly queued: number;
}

/**
 * The jobs that SLURM has and will run: those that it only waits with for something that has failed will never run, and are given by
 * their ids to be taken out of the queue.
 */
export function survey(
  { jobs }: Pick<JobGraph, 'jobs'>,
  view: ReadonlyMap<string, QueuedJob>,
  done: ReadonlySet<string>,
): { readonly queued: Map<string, string>; readonly hopeless: readonly string[] } {
  const queued = new Map<string, string>();
  const hopeless: string[] = [];
  for (const { hash, after } of jobs) {
    const task = view.get(hash);
    if (task === undefined || !isActive(task) || done.has(hash)) continue;
    const waitsInVain = (input: string): boolean => {
      if (queued.has(input)) return false;
      const before = view.get(input);
      // Somebody else may have done it meanwhile; SLURM goes by its own task alone.
      return !done.has(input) || (before?.phase === 'ended' && before.state !== FORGOTTEN);
    };
    const isHopeless =
      task.phase === 'queued' &&
      (task.reason === NEVER_SATISFIED || (task.reason === 'Dependency' && after.some(waitsInVain)));
    if (isHopeless) hopeless.push(task.id);
    else queued.set(hash, task.id);
  }
  return { queued, hopeless };
}

/**
 * Submits all jobs that are neither done nor with SLURM already. Doing so again after any failure, its own too, submits what is
 * missing by then.
 *
 * @throws SchedulerError where SLURM is absent, does not answer or refuses; StoreError where the folder cannot be written.
 */
export async function submitSweep({
  graph,
  done,
  folder,
  slurm,
  requestOf,
  isDryRun = false,
  submitted = () => {},
  ...scriptOptions
}: SubmitOptions): Promise<SubmissionReport> {
  const view = isDryRun ? new Map<string, QueuedJob>() : await readSlurmView(folder, slurm);
  const { queued, hopeless } = survey(graph, view, done);
  const wanted = new Set(
    graph.jobs.filter(({ hash }) => !done.has(hash) && !queued.has(hash)).map(({ hash }) => hash),
  );
  const mostTasks = isDryRun
    ? await slurm.mostTasks().catch(() => USUAL_MOST_TASKS)
    : await slurm.mostTasks();
  const arrays = arraysOf(graph, { wanted, queued, requestOf, mostTasks });
  const sweepName = await folder.sweepName();
  for (const array of arrays) {
    await folder.writeArray(array, scriptText(array, { ...scriptOptions, sweepName, folder: folder.path }));
  }
  const report = (array: JobArray, number: number | null): SubmittedArray => ({
    name: array.name,
    kind: array.kind,
    tasks: array.jobs.length,
    number,
  });
  if (isDryRun) {
    await folder.writeSubmitScript(submitText(arrays));
    return { arrays: arrays.map((array) => report(array, null)), done: done.size, queued: 0 };
  }
  if (hopeless.length > 0) await slurm.cancel(hopeless);
  const numbers = new Map<string, number>();
  const all: SubmittedArray[] = [];
  for (const array of arrays) {
    const number = await slurm.submit(folder.scriptOf(array.name), dependencyIds(array.waitsFor, numbers));
    numbers.set(array.name, number);
    await folder.recordSubmission({ array: array.name, number });
    const one = report(array, number);
    all.push(one);
    submitted(one);
  }
  return { arrays: all, done: done.size, queued: queued.size };
}
