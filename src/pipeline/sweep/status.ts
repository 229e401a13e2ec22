/** Where a sweep stands, by what lies in its folder, and what a scheduler says of jobs that it has. Nothing is changed. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readTrail } from '../watch/trail.js';
import { type FoundClaim, findClaim } from './claim.js';
import { type Job, type JobGraph, type JobKind, type JobState, jobKinds } from './graph.js';
import { readRecord } from './jobFolder.js';
import { finishedJobs, pathsOf } from './sweepFolder.js';
import { livenessOf } from '../store/lockOwner.js';

/** What a scheduler knows of a job that the folder does not. */
export interface ScheduledJob {
  /** `queued`: it waits there; `ended`: the scheduler has ended it, such as for its time. */
  readonly state: 'queued' | 'running' | 'ended';
  /** In a sentence, such as why it was ended. */
  readonly says?: string;
  /** What its output was written to. */
  readonly log?: string;
}

/** What has been done of a running job. */
export interface JobProgress {
  readonly done: number;
  readonly total: number;
  readonly unit: string;
}

/** One job's state. */
export interface JobStatus {
  readonly job: Job;
  readonly state: JobState;
  /** Who works on it, why it failed, or what it waits for; empty where there is nothing to say. */
  readonly says: string;
  /** Whether a scheduler has it, and it waits there. */
  readonly isQueued: boolean;
  /** Seconds that it took; null where it is not done. */
  readonly seconds: number | null;
  readonly progress: JobProgress | null;
  /** The file of what its tries said; null where it has not begun. */
  readonly log: string | null;
}

/** A sweep's state. */
export interface SweepStatus {
  readonly sweep: string;
  readonly counts: Readonly<Record<JobState, number>>;
  readonly jobs: readonly JobStatus[];
  /** Seconds until the end at this pace; null where no job of some kind that is left has been done yet, and none is running. */
  readonly secondsLeft: number | null;
}

/** Lines of a failed job's log that are shown. */
const TAIL_LINES = 12;
const TAIL_BYTES = 8192;

/** The end of a log; empty where there is none. */
export async function logTail(path: string): Promise<string> {
  const bytes = await readFile(path).catch(() => new Uint8Array(0));
  const text = new TextDecoder().decode(bytes.subarray(Math.max(0, bytes.length - TAIL_BYTES)));
  return text.trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
}

async function stateOfClaim(
  claim: FoundClaim,
): Promise<Pick<JobStatus, 'says'> & { readonly state: 'running' | 'failed' | 'waiting' }> {
  const { owner, end } = claim;
  if (end !== null) {
    const state = end.outcome === 'failed' ? 'failed' : 'waiting';
    return { state, says: end.outcome === 'failed' ? end.message : 'stopped as asked; goes on from there' };
  }
  if (owner === null) return { state: 'running', says: '' };
  const isAlive = await livenessOf(owner);
  if (isAlive === false) return { state: 'waiting', says: 'its worker was killed; goes on from what it kept' };
  return { state: 'running', says: `process ${owner.process} on ${owner.machine}` };
}

async function progressOf(sweep: string, hash: string, { number }: FoundClaim): Promise<JobProgress | null> {
  const trail = await readTrail(join(pathsOf(sweep).work, `${hash}.${number}`, 'run'));
  const stage = trail?.stages.findLast(({ state }) => state === 'running');
  return stage === undefined ? null : { done: stage.done, total: stage.total, unit: stage.unit };
}

async function statusOf(
  sweep: string,
  job: Job,
  isDone: boolean,
  scheduled: ScheduledJob | undefined,
): Promise<JobStatus> {
  const { hash } = job;
  const log = pathsOf(sweep).log(hash);
  const none = { job, says: '', isQueued: false, seconds: null, progress: null, log: scheduled?.log ?? null };
  if (isDone) {
    const { seconds } = await readRecord(sweep, hash);
    return { ...none, state: 'done', seconds, log };
  }
  const isQueued = scheduled?.state === 'queued';
  const claim = await findClaim(sweep, hash);
  if (claim === null) {
    if (scheduled?.state === 'ended') return { ...none, state: 'failed', says: scheduled.says ?? '' };
    const state = scheduled?.state === 'running' ? 'running' : 'waiting';
    return { ...none, state, isQueued, says: scheduled?.says ?? '' };
  }
  const found = await stateOfClaim(claim);
  // A claim that shows no life from here is alive only as long as its scheduler says so.
  const isOver = scheduled?.state === 'ended' && found.state === 'running';
  if (isOver) return { ...none, state: 'failed', says: scheduled.says ?? 'ended by the scheduler', log };
  return {
    ...none,
    ...found,
    isQueued: isQueued && found.state !== 'running',
    progress: found.state === 'running' ? await progressOf(sweep, hash, claim) : null,
    log: scheduled?.log ?? log,
  };
}

/**
 * The state of every job of a sweep.
 *
 * @param scheduled what a scheduler says, by the job's name
 * @throws StoreError where a record cannot be read.
 */
export async function sweepStatus(
  sweep: string,
  graph: JobGraph,
  scheduled: ReadonlyMap<string, ScheduledJob> = new Map(),
): Promise<SweepStatus> {
  const finished = await finishedJobs(sweep);
  const jobs: JobStatus[] = [];
  const stuck = new Set<string>();
  for (const job of graph.jobs) {
    const found = await statusOf(sweep, job, finished.has(job.hash), scheduled.get(job.hash));
    // Behind those that it reads in the graph, so that these are judged already.
    const isBlocked = found.state === 'waiting' && job.after.some((hash) => stuck.has(hash));
    const status = isBlocked ? { ...found, state: 'blocked' as const, says: 'a job that it reads has failed' } : found;
    if (status.state === 'failed' || status.state === 'blocked') stuck.add(job.hash);
    jobs.push(status);
  }
  const counts = { done: 0, running: 0, waiting: 0, failed: 0, blocked: 0 };
  for (const { state } of jobs) counts[state] += 1;
  return { sweep, counts, jobs, secondsLeft: secondsLeft(jobs) };
}

/** Seconds of all that is left, by the mean of its kind, divided among those that work now. */
function secondsLeft(jobs: readonly JobStatus[]): number | null {
  const left = jobs.filter(({ state }) => state === 'running' || state === 'waiting');
  if (left.length === 0) return 0;
  const means = new Map<JobKind, number>();
  for (const kind of jobKinds) {
    const seconds = jobs.flatMap((each) => (each.job.kind === kind ? (each.seconds ?? []) : []));
    if (seconds.length > 0) means.set(kind, seconds.reduce((sum, each) => sum + each, 0) / seconds.length);
  }
  let total = 0;
  for (const { job, progress } of left) {
    const mean = means.get(job.kind);
    if (mean === undefined) return null;
    const share = progress === null || progress.total === 0 ? 0 : Math.min(1, progress.done / progress.total);
    total += mean * (1 - share);
  }
  const running = left.filter(({ state }) => state === 'running').length;
  return running === 0 ? null : total / running;
}
