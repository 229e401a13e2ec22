/** Where a sweep stands, by what lies in its folder, and what a scheduler says of jobs that it has. Nothing is changed. */
import { join } from 'node:path';
import { openRegular } from '../store/boundedFile.js';
import { livenessOf } from '../store/lockOwner.js';
import { readTrail } from '../watch/trail.js';
import { type FoundClaim, findClaim } from './claim.js';
import { type Job, type JobGraph, type JobKind, type JobState, jobKinds } from './graph.js';
import { readRecord } from './jobFolder.js';
import { finishedJobs, pathsOf } from './sweepFolder.js';

/** What a scheduler knows of a job that the folder does not. */
export interface ScheduledJob {
  /**
   * `queued`: it waits there. `failed`: it ended there with an error, or was ended, such as for its time. `stopped`: it is there no
   * more, for no fault of its own.
   */
  readonly state: 'queued' | 'running' | 'failed' | 'stopped';
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
  /** Seconds until the end at this pace; null where no job of some kind that is left has been done yet, or none is running. */
  readonly secondsLeft: number | null;
}

/** Lines of a failed job's log that are shown. */
const TAIL_LINES = 12;
const TAIL_BYTES = 8192;

/** The end of a log; empty where there is none. */
export async function logTail(path: string): Promise<string> {
  const opened = await openRegular(path).catch(() => null);
  if (opened === null) return '';
  const { file, size } = opened;
  const start = Math.max(0, size - TAIL_BYTES);
  let text = '';
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(TAIL_BYTES), 0, TAIL_BYTES, start);
    text = new TextDecoder().decode(buffer.subarray(0, bytesRead));
  } catch {
    // As where there is none.
  } finally {
    await file.close();
  }
  return text.trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
}

interface ClaimState {
  /** `silent`: held by a worker on another machine, of which only time or a scheduler can tell whether it lives. */
  readonly state: 'running' | 'silent' | 'failed' | 'waiting';
  readonly says: string;
}

async function stateOfClaim({ owner, end }: FoundClaim): Promise<ClaimState> {
  if (end !== null) {
    return end.outcome === 'failed'
      ? { state: 'failed', says: end.message }
      : { state: 'waiting', says: 'stopped as asked; goes on from there' };
  }
  if (owner === null) return { state: 'silent', says: '' };
  const isAlive = await livenessOf(owner);
  if (isAlive === false)
    return { state: 'waiting', says: 'its worker was killed; goes on from what it kept' };
  const says = `process ${owner.process} on ${owner.machine}`;
  return { state: isAlive === null ? 'silent' : 'running', says };
}

const NOBODY: ClaimState = { state: 'waiting', says: '' };

/** A job that is not done, by its claim and by what a scheduler says: whoever is seen at work counts, then the scheduler. */
function united(claim: ClaimState, scheduled: ScheduledJob | undefined): Pick<JobStatus, 'state' | 'says'> {
  const both = (state: JobState): Pick<JobStatus, 'state' | 'says'> => ({
    state,
    says: [claim.says, scheduled?.says ?? ''].filter((text) => text !== '').join('; '),
  });
  if (claim.state === 'running') return both('running');
  const by = { state: scheduled?.state, says: scheduled?.says ?? '' };
  if (by.state === 'queued') return { state: 'waiting', says: by.says };
  if (by.state === 'running')
    return claim.state === 'silent' ? both('running') : { state: 'running', says: by.says };
  // What it said itself is more than the scheduler knows.
  if (claim.state === 'failed') return { state: 'failed', says: claim.says };
  if (by.state === 'failed') return { state: 'failed', says: by.says };
  if (by.state === 'stopped') return { state: 'waiting', says: by.says || claim.says };
  return { state: claim.state === 'silent' ? 'running' : claim.state, says: claim.says };
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
  const claim = await findClaim(sweep, hash);
  const found = united(claim === null ? NOBODY : await stateOfClaim(claim), scheduled);
  const isRunning = found.state === 'running';
  return {
    ...none,
    ...found,
    isQueued: scheduled?.state === 'queued' && !isRunning,
    progress: isRunning && claim !== null ? await progressOf(sweep, hash, claim) : null,
    log: none.log ?? (claim === null ? null : log),
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
  const finished = await finishedJobs(sweep, graph);
  const jobs: JobStatus[] = [];
  const stuck = new Set<string>();
  for (const job of graph.jobs) {
    const found = await statusOf(sweep, job, finished.has(job.hash), scheduled.get(job.hash));
    // Behind those that it reads in the graph, so that these are judged already.
    const isBlocked = found.state === 'waiting' && job.after.some((hash) => stuck.has(hash));
    const status = isBlocked
      ? { ...found, state: 'blocked' as const, says: 'a job that it reads has failed' }
      : found;
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
