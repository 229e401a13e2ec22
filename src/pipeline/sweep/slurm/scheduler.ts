/** The one way to SLURM: its commands, called without a shell, with bounded answers and errors that say what to do. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { SchedulerError } from '../../../errors.js';
import { shown } from '../../store/shownText.js';
import { HISTORY_FORMAT, parseHistory, parseQueue, QUEUE_FORMAT, type SlurmTask } from './tasks.js';

const execute = promisify(execFile);

/** SLURM's commands that are called. */
export type SlurmProgram = 'sbatch' | 'squeue' | 'scancel' | 'scontrol' | 'sacct';

/** Calls a program and gives what it printed. Rejects as `execFile` does. */
export type RunProgram = (program: SlurmProgram, args: readonly string[]) => Promise<string>;

/** What a sweep needs of SLURM. Every call throws `SchedulerError` where SLURM is absent, does not answer or refuses. */
export interface Slurm {
  /**
   * Submits a script.
   *
   * @param after ids of arrays or tasks that have to end well before it begins
   * @returns the number of the new array.
   */
  submit(script: string, after: readonly string[]): Promise<number>;
  /** The user's tasks that SLURM holds in memory: all that have not ended, and for some minutes those that have. */
  queue(): Promise<SlurmTask[]>;
  /** The tasks of arrays by SLURM's accounting; none where a cluster keeps no accounts. */
  history(arrays: readonly number[]): Promise<SlurmTask[]>;
  /** Ends tasks, or all of an array, by their ids. */
  cancel(ids: readonly string[]): Promise<void>;
  /** Most tasks that an array may have. */
  mostTasks(): Promise<number>;
}

/** Bytes that one answer may have: a line for each of half a million tasks. */
const LARGEST_ANSWER = 2 ** 26;
/** Milliseconds after which a command that waits for SLURM's controller is given up. */
const LONGEST_WAIT = 120_000;
/** Ids in one call: the system takes so many words at least. */
const IDS_AT_A_TIME = 1000;
/** Most tasks of an array where SLURM does not say: its own default. */
export const USUAL_MOST_TASKS = 1001;
const LONGEST_COMPLAINT = 300;

const runProgram: RunProgram = async (program, args) => {
  const { stdout } = await execute(program, [...args], {
    maxBuffer: LARGEST_ANSWER,
    timeout: LONGEST_WAIT,
    // SLURM's own settings for the form of answers would change what is parsed.
    env: Object.fromEntries(
      Object.entries(process.env).filter(
        ([name]) => !/^(SQUEUE|SACCT|SCONTROL)_|^SLURM_TIME_FORMAT$/.test(name),
      ),
    ),
  });
  return stdout;
};

interface CallFailure {
  readonly code?: string | number | null;
  readonly killed?: boolean;
  readonly stderr?: string;
}

/** What a program complained of, in one line. */
function complaintOf({ stderr = '' }: CallFailure): string {
  const lines = stderr
    .split('\n')
    .map((line) => line.replace(/^\w+: (error|fatal): /, '').trim())
    .filter((line) => line !== '');
  return shown([...new Set(lines)].join('; '), LONGEST_COMPLAINT);
}

function failureOf(program: SlurmProgram, cause: unknown): SchedulerError {
  const failure = cause as CallFailure;
  if (failure.code === 'ENOENT') {
    return new SchedulerError(
      `SLURM is not on this machine: there is no command ${program}. Run this where SLURM's commands are, such as on the cluster's login node, or without SLURM: hypergrad sweep FILE.`,
      { cause },
    );
  }
  if (failure.killed) {
    return new SchedulerError(
      `SLURM did not answer ${program} within ${LONGEST_WAIT / 1000} seconds. Look at it with sinfo, and run the same command again.`,
      { cause },
    );
  }
  const complaint = complaintOf(failure);
  const said = complaint === '' ? `it ended with code ${failure.code}` : complaint.replace(/\.$/, '');
  return new SchedulerError(
    `SLURM's ${program} refused: ${said}. What was submitted before stays so: mend that and run the same command again.`,
    { cause },
  );
}

function* chunksOf<Item>(items: readonly Item[], size: number): Generator<readonly Item[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}

/** SLURM by its commands. `run` stands in for them in tests. */
export function slurmCommands(run: RunProgram = runProgram): Slurm {
  const ask: RunProgram = async (program, args) => {
    try {
      return await run(program, args);
    } catch (error) {
      throw failureOf(program, error);
    }
  };
  return {
    async submit(script, after) {
      const waits = after.length === 0 ? [] : [`--dependency=afterok:${after.join(':')}`];
      const answer = await ask('sbatch', ['--parsable', ...waits, script]);
      // In a federation the cluster's name follows.
      const [, id] = /^(\d{1,15})(?:;\S+)?\s*$/.exec(answer) ?? [];
      if (id === undefined) {
        throw new SchedulerError(
          `SLURM's sbatch answered ${JSON.stringify(shown(answer.trim()))} where the number of the new job was expected. Look whether sbatch is a command of the site's own here.`,
        );
      }
      return Number(id);
    },
    async queue() {
      const answer = await ask('squeue', [
        '--me',
        '--array',
        '--noheader',
        '--states=all',
        `--format=${QUEUE_FORMAT}`,
      ]);
      return parseQueue(answer);
    },
    async history(arrays) {
      const found: SlurmTask[] = [];
      for (const some of chunksOf(arrays, IDS_AT_A_TIME)) {
        try {
          const answer = await run('sacct', [
            '--noheader',
            '--parsable2',
            '--allocations',
            `--jobs=${some.join(',')}`,
            `--format=${HISTORY_FORMAT}`,
          ]);
          found.push(...parseHistory(answer));
        } catch {
          // Many clusters keep no accounts, or not for everybody: what SLURM has forgotten is then told by the folder alone.
          return found;
        }
      }
      return found;
    },
    async cancel(ids) {
      for (const some of chunksOf(ids, IDS_AT_A_TIME)) await ask('scancel', ['--quiet', ...some]);
    },
    async mostTasks() {
      const [, most] =
        /^MaxArraySize\s*=\s*(\d{1,9})\s*$/m.exec(await ask('scontrol', ['show', 'config'])) ?? [];
      // The largest index is one less.
      return Math.max(1, Number(most ?? USUAL_MOST_TASKS));
    },
  };
}
