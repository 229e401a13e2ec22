import { resolve } from 'node:path';
import { Command } from 'commander';
import { textTable } from '../../autograd/textTable.js';
import { SchedulerError } from '../../errors.js';
import { longDuration } from '../../pipeline/report/wording.js';
import { jobInWords, jobKinds, jobStates } from '../../pipeline/sweep/graph.js';
import { scheduledJobs } from '../../pipeline/sweep/slurm/scheduled.js';
import { slurmCommands } from '../../pipeline/sweep/slurm/scheduler.js';
import { slurmFolder } from '../../pipeline/sweep/slurm/slurmFolder.js';
import { readSlurmView } from '../../pipeline/sweep/slurm/view.js';
import {
  type JobStatus,
  logTail,
  type ScheduledJob,
  type SweepStatus,
  sweepStatus,
} from '../../pipeline/sweep/status.js';
import { readGraph } from '../../pipeline/sweep/sweepFolder.js';
import { note } from '../help.js';
import { terminalText } from '../terminalText.js';

interface StatusFlags {
  readonly json?: boolean;
}

/** Jobs of a state that are listed; the rest is counted. */
const MOST_LISTED = 20;

/** A failed job with the end of its log. */
interface Failure {
  readonly status: JobStatus;
  readonly tail: string;
}

const indented = (text: string): string => text.replaceAll(/^/gm, '      ');

function progressText({ progress, says }: JobStatus): string {
  const done = progress === null ? [] : [`${progress.done} of ${progress.total} ${progress.unit}`];
  return [...done, ...(says === '' ? [] : [says])].join('; ');
}

const lineOf = (status: JobStatus): string => {
  const { job } = status;
  const said = progressText(status);
  return `  ${jobInWords(job)} ${job.hash.slice(0, 8)} (${job.member})${said === '' ? '' : `: ${said}`}`;
};

/** @param total how many there are, of which `lines` may be the first only */
function listed(title: string, lines: readonly string[], total = lines.length): string[] {
  if (lines.length === 0) return [];
  const rest = total - Math.min(lines.length, MOST_LISTED);
  return ['', title, ...lines.slice(0, MOST_LISTED), ...(rest > 0 ? [`  and ${rest} more`] : [])];
}

function timeLeft({ secondsLeft, counts }: SweepStatus): string[] {
  if (counts.running + counts.waiting === 0) return [];
  if (counts.running === 0) return ['No worker is at work.'];
  if (secondsLeft === null) return ['How long it takes yet is not known: no job of some kind is done.'];
  return [`About ${longDuration(secondsLeft)} left at this pace.`];
}

/**
 * A sweep's state in plain text.
 *
 * @param failures the first of the failed jobs
 */
export function describeStatus(status: SweepStatus, failures: readonly Failure[]): string {
  const { jobs } = status;
  const kinds = jobKinds.filter((kind) => jobs.some(({ job }) => job.kind === kind));
  const count = (fits: (each: JobStatus) => boolean): string => String(jobs.filter(fits).length);
  const table = textTable(
    [
      ['job', ...jobStates],
      ...kinds.map((kind) => [
        kind,
        ...jobStates.map((state) => count((each) => each.job.kind === kind && each.state === state)),
      ]),
      ['all', ...jobStates.map((state) => String(status.counts[state]))],
    ],
    ['left', ...jobStates.map(() => 'right' as const)],
  );
  const queued = jobs.filter(({ isQueued }) => isQueued).length;
  return [
    table,
    '',
    ...timeLeft(status),
    ...(queued === 0
      ? []
      : [`${queued} ${queued === 1 ? 'job waits' : 'jobs wait'} in the scheduler's queue.`]),
    ...listed('Running:', jobs.filter(({ state }) => state === 'running').map(lineOf)),
    ...listed(
      'Failed:',
      failures.map(({ status: each, tail }) =>
        [lineOf(each), ...(tail === '' ? [] : [`    ${each.log}:`, indented(tail)])].join('\n'),
      ),
      status.counts.failed,
    ),
  ].join('\n');
}

/** What SLURM says of a sweep's jobs; where it cannot be asked, that is said, and the folder alone counts. */
async function askSlurm(sweep: string): Promise<Map<string, ScheduledJob>> {
  try {
    return scheduledJobs(await readSlurmView(slurmFolder(resolve(sweep)), slurmCommands()));
  } catch (error) {
    if (!(error instanceof SchedulerError)) throw error;
    process.stderr.write(terminalText(`Without what SLURM knows: ${error.message}\n`));
    return new Map();
  }
}

async function status(sweep: string, { json }: StatusFlags): Promise<void> {
  const graph = await readGraph(sweep);
  const found = await sweepStatus(sweep, graph, await askSlurm(sweep));
  const failed = found.jobs.filter(({ state }) => state === 'failed');
  const failures: Failure[] = [];
  for (const each of failed.slice(0, json ? failed.length : MOST_LISTED)) {
    failures.push({ status: each, tail: each.log === null ? '' : await logTail(each.log) });
  }
  const text = json
    ? JSON.stringify(
        { ...found, failures: failures.map(({ status: { job }, tail }) => ({ hash: job.hash, tail })) },
        null,
        1,
      )
    : terminalText(describeStatus(found, failures));
  process.stdout.write(`${text}\n`);
  process.exitCode = failed.length > 0 ? 1 : 0;
}

/** The command `hypergrad status`. */
export function statusCommand(): Command {
  return new Command('status')
    .description(
      'show where a sweep stands: what is done, running, waiting or failed, and how long it takes yet',
    )
    .argument('<sweep-folder>', "a sweep's folder")
    .option('--json', 'print every job as JSON')
    .addHelpText('after', note('Exit code: 0, or 1 when a job has failed. Nothing is changed.'))
    .action(status);
}
