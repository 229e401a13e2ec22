/**
 * Jobs as arrays that SLURM takes: those of one kind that wait for the same and are given the same become the tasks of one array.
 * A hundred experts are one call, and one line of the queue.
 */
import { createHash } from 'node:crypto';
import type { Job, JobGraph, JobKind } from '../graph.js';
import type { ResourceRequest } from './request.js';

/** Tasks that an array waits for: of another new array, or known to SLURM by an id already. */
export type WaitsFor =
  /** `tasks` null means all of the array. */
  { readonly array: string; readonly tasks: readonly number[] | null } | { readonly id: string };

/** Jobs that are submitted together. */
export interface JobArray {
  /** Its kind and the beginning of a hash over its jobs: the same jobs have the same name. */
  readonly name: string;
  readonly kind: JobKind;
  /** The job of each task, from 0. */
  readonly jobs: readonly string[];
  readonly request: ResourceRequest;
  readonly waitsFor: readonly WaitsFor[];
}

export interface ArrayOptions {
  /** Names of the jobs to submit. */
  readonly wanted: ReadonlySet<string>;
  /** Ids of tasks that SLURM has already, by the job's name. */
  readonly queued: ReadonlyMap<string, string>;
  readonly requestOf: (job: Job) => ResourceRequest;
  /** Most tasks that an array may have. */
  readonly mostTasks: number;
}

const HASH_LENGTH = 12;

function nameOf(kind: JobKind, jobs: readonly string[]): string {
  const hash = createHash('sha256').update(jobs.join('\n')).digest('hex').slice(0, HASH_LENGTH);
  return `${kind}-${hash}`;
}

interface Place {
  readonly array: string;
  readonly task: number;
  readonly size: number;
}

/** What jobs wait for, as arrays and tasks: whole arrays by one id, whatever their size. */
function waits(
  inputs: readonly string[],
  queued: ReadonlyMap<string, string>,
  places: ReadonlyMap<string, Place>,
): WaitsFor[] {
  const known: WaitsFor[] = [];
  const byArray = new Map<string, Place[]>();
  for (const input of inputs) {
    const place = places.get(input);
    const id = queued.get(input);
    if (place !== undefined) byArray.set(place.array, [...(byArray.get(place.array) ?? []), place]);
    else if (id !== undefined) known.push({ id });
  }
  const fresh = [...byArray].map(([array, tasks]) => ({
    array,
    tasks: tasks.length === tasks[0]!.size ? null : tasks.map(({ task }) => task),
  }));
  return [...known, ...fresh];
}

/** Arrays of the wanted jobs, each behind those that it waits for. What a job reads and is neither wanted nor queued is done. */
export function arraysOf(
  { jobs }: Pick<JobGraph, 'jobs'>,
  { wanted, queued, requestOf, mostTasks }: ArrayOptions,
): JobArray[] {
  const groups = new Map<string, { readonly jobs: Job[]; readonly inputs: readonly string[] }>();
  for (const job of jobs) {
    if (!wanted.has(job.hash)) continue;
    const inputs = job.after.filter((input) => wanted.has(input) || queued.has(input)).sort();
    const key = JSON.stringify([job.kind, requestOf(job), inputs]);
    const group = groups.get(key) ?? { jobs: [], inputs };
    group.jobs.push(job);
    groups.set(key, group);
  }
  const places = new Map<string, Place>();
  const arrays: JobArray[] = [];
  // A group stands where its first job does, and its jobs all wait for the same: whatever that is stands before.
  for (const { jobs: members, inputs } of groups.values()) {
    for (let start = 0; start < members.length; start += mostTasks) {
      const some = members.slice(start, start + mostTasks);
      const [first] = some;
      const hashes = some.map(({ hash }) => hash);
      const array: JobArray = {
        name: nameOf(first!.kind, hashes),
        kind: first!.kind,
        jobs: hashes,
        request: requestOf(first!),
        waitsFor: waits(inputs, queued, places),
      };
      for (const [task, hash] of hashes.entries()) {
        places.set(hash, { array: array.name, task, size: hashes.length });
      }
      arrays.push(array);
    }
  }
  return arrays;
}

/** The ids for sbatch's `--dependency`, once the arrays before have numbers. */
export function dependencyIds(
  waitsFor: readonly WaitsFor[],
  numbers: ReadonlyMap<string, number | string>,
): string[] {
  return waitsFor.flatMap((each) => {
    if ('id' in each) return [each.id];
    const number = numbers.get(each.array);
    if (number === undefined) throw new Error(`The array ${each.array} has no number yet.`);
    return each.tasks === null ? [String(number)] : each.tasks.map((task) => `${number}_${task}`);
  });
}
