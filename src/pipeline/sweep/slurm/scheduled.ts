/** A sweep's jobs as SLURM sees them, in the words of `hypergrad status`. */
import { longDuration } from '../../report/wording.js';
import type { ScheduledJob } from '../status.js';
import { endInWords, FORGOTTEN, NEVER_SATISFIED } from './tasks.js';
import type { QueuedJob } from './view.js';

/** SLURM's commonest reasons for not having begun a task. */
const REASONS: Readonly<Record<string, string>> = {
  Dependency: 'waits for the jobs before it',
  Resources: 'waits for a free node',
  Priority: 'waits for its turn',
  BeginTime: 'begins again soon',
  JobHeldUser: 'is held',
  JobHeldAdmin: 'is held by an administrator',
  JobArrayTaskLimit: 'waits for other tasks of its array',
  [NEVER_SATISFIED]: 'waits for a job that failed',
};

/** What to do about an end that the next try would meet again. */
const REMEDIES: Readonly<Record<string, string>> = {
  TIMEOUT: 'Submit again: it goes on from what it kept; --slurm-option=time=… gives it longer',
  OUT_OF_MEMORY: 'Submit again with --slurm-option=mem=…',
};
const SUBMIT_AGAIN = 'Submit again: it goes on from what it kept';

function waitsFor({ reason }: QueuedJob): string {
  if (reason === null) return 'waits';
  // "ReqNodeNotAvail, UnavailableNodes:n[1-4]" and the like say it themselves.
  return REASONS[reason] ?? `waits (${reason})`;
}

/** What SLURM says of one job. */
export function scheduledJob(task: QueuedJob): ScheduledJob {
  const { id, phase, state, node, secondsLeft, log } = task;
  const name = `SLURM's task ${id}`;
  switch (phase) {
    case 'queued':
      return { state: 'queued', says: `${name} ${waitsFor(task)}` };
    case 'running': {
      const place = node === null ? '' : ` on ${node}`;
      const limit = secondsLeft === null ? '' : `, ${longDuration(secondsLeft)} until its time limit`;
      return { state: 'running', says: `${name}${place}${limit}`, log };
    }
    case 'completed':
      // Whether the result is there says the folder.
      return { state: 'stopped', says: '', log };
    case 'ended': {
      const isFailure = state !== 'CANCELLED' && state !== FORGOTTEN;
      const remedy = REMEDIES[state] ?? SUBMIT_AGAIN;
      return { state: isFailure ? 'failed' : 'stopped', says: `${name} ${endInWords(task)}. ${remedy}`, log };
    }
  }
}

/** What SLURM says of all jobs of a sweep that were submitted, by the job's name. */
export const scheduledJobs = (view: ReadonlyMap<string, QueuedJob>): Map<string, ScheduledJob> =>
  new Map([...view].map(([hash, task]) => [hash, scheduledJob(task)]));
