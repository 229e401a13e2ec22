/**
 * A sweep as jobs: what each computes, which jobs' results it reads, and which members of the sweep share it. Plain data, so that
 * whoever runs it – a pool on this machine, SLURM's nodes, one process – needs nothing else.
 */
import type { StageName } from '../progress.js';
import type { Plain } from '../store/manifest.js';

/** Changes when a job would no longer leave the same from the same. */
export const GRAPH_VERSION = 1;

/**
 * What a job does, in the order of a run: a stage, one expert of the stage `experts`, the encoders of one architecture and seed of
 * the stage `evaluate`, or a member's run folder with its report.
 */
export const jobKinds = [
  'teacher',
  'targets',
  'expert',
  'subset',
  'distil',
  'selfSupervisedExperts',
  'selfSupervised',
  'evaluation',
  'report',
] as const;
export type JobKind = (typeof jobKinds)[number];

/** The stage of a run that a job of a kind is, or is a part of. */
export const stageOfKind: Readonly<Record<JobKind, StageName>> = {
  teacher: 'teacher',
  targets: 'targets',
  expert: 'experts',
  subset: 'subset',
  distil: 'distil',
  selfSupervisedExperts: 'selfSupervisedExperts',
  selfSupervised: 'selfSupervised',
  evaluation: 'evaluate',
  report: 'report',
};

/** Hexadecimal digits of a job's name: 80 bits. */
export const NAME_DIGITS = 20;
/** A job's name. */
export const JOB_NAME = new RegExp(`^[0-9a-f]{${NAME_DIGITS}}$`);

/** One job. Jobs that read the same have the same name, so that members of a sweep share them. */
export interface Job {
  /** Its name: the beginning, in hex, of the hash of all that it reads. */
  readonly hash: string;
  readonly kind: JobKind;
  /** Which one of its kind, such as `007` of the experts; absent where a member has one of the kind. */
  readonly part?: string;
  /** Names of the jobs whose results it reads. */
  readonly after: readonly string[];
  /** Name of the first member that asks for it: with its configuration the job is run. */
  readonly member: string;
}

/** One run of a sweep: a setting, which is what the sweep sets, with a seed. */
export interface Member {
  /** Name of its folder below `runs/`. */
  readonly name: string;
  /** What the sweep sets for it, by path; the seed aside. */
  readonly values: Readonly<Record<string, Plain>>;
  readonly seed: number;
  /** SHA-256 of its images and labels; null in a plan that was made without them, whose names of jobs are not those of a sweep. */
  readonly data: string | null;
  /** SHA-256 of the representations that its `targets.from` names; null where a teacher is trained. */
  readonly given: string | null;
  /** Names of all of its jobs, shared ones too, in the graph's order. The last is its report. */
  readonly jobs: readonly string[];
}

/** All jobs of a sweep, each behind those that it reads. */
export interface JobGraph {
  readonly version: typeof GRAPH_VERSION;
  readonly jobs: readonly Job[];
  readonly members: readonly Member[];
}

/**
 * Where a job stands. `running`: a worker holds it and shows life. `waiting`: nobody has begun it, or it was broken off and goes on
 * when somebody takes it. `failed`: its last try ended with an error. `blocked`: a job that it reads has failed.
 */
export const jobStates = ['done', 'running', 'waiting', 'failed', 'blocked'] as const;
export type JobState = (typeof jobStates)[number];

/** A job in words: `expert 007`. */
export const jobInWords = ({ kind, part }: Pick<Job, 'kind' | 'part'>): string =>
  part === undefined ? kind : `${kind} ${part}`;

/** The jobs by name. */
export const jobsByName = ({ jobs }: Pick<JobGraph, 'jobs'>): Map<string, Job> =>
  new Map(jobs.map((job) => [job.hash, job]));

/** For each job the jobs that read its result. */
export function dependantsOf({ jobs }: Pick<JobGraph, 'jobs'>): Map<string, Job[]> {
  const found = new Map<string, Job[]>(jobs.map(({ hash }) => [hash, []]));
  for (const job of jobs) for (const before of job.after) found.get(before)!.push(job);
  return found;
}
