/**
 * What SLURM says of a sweep's tasks, read from the columns of `squeue` and `sacct`. Both print them since long before they print
 * JSON, whose form is another in every version of SLURM.
 */

/** What a task's state amounts to. `ended`: without a result, whatever the reason. */
export type TaskPhase = 'queued' | 'running' | 'completed' | 'ended';

/** One task of an array, as SLURM sees it. */
export interface SlurmTask {
  /** Number that SLURM gave the array. */
  readonly array: number;
  /** Its place in the array, from 0. */
  readonly task: number;
  /** Name that the array was submitted with. */
  readonly name: string;
  /** SLURM's word, such as `PENDING` or `TIMEOUT`. */
  readonly state: string;
  readonly phase: TaskPhase;
  /** Why it waits or ended, in SLURM's word, such as `Resources`; null where it says none. */
  readonly reason: string | null;
  /** Seconds that it has run for; null where that is not known. */
  readonly secondsUsed: number | null;
  /** Seconds until its time limit; null without one. */
  readonly secondsLeft: number | null;
  /** Nodes that it runs on, or ran on; null before. */
  readonly node: string | null;
}

const QUEUED = new Set([
  'PENDING',
  'CONFIGURING',
  'REQUEUED',
  'REQUEUE_FED',
  'REQUEUE_HOLD',
  'RESV_DEL_HOLD',
  'SPECIAL_EXIT',
]);
const RUNNING = new Set([
  'RUNNING',
  'COMPLETING',
  'RESIZING',
  'SIGNALING',
  'STAGE_OUT',
  'STOPPED',
  'SUSPENDED',
]);

/** What a state amounts to. A word that a later SLURM may bring counts as an end, so that the job is not waited for in vain. */
function phaseOf(state: string): TaskPhase {
  if (QUEUED.has(state)) return 'queued';
  if (RUNNING.has(state)) return 'running';
  return state === 'COMPLETED' ? 'completed' : 'ended';
}

/** Seconds of `[days-]hours:minutes:seconds` or `minutes:seconds`; null for words such as `UNLIMITED`. */
export function parseDuration(text: string): number | null {
  const [, days = '0', hours = '0', minutes, seconds] =
    /^(?:(\d{1,6})-)?(?:(\d{1,6}):)?(\d{1,6}):(\d{1,2})(?:\.\d+)?$/.exec(text.trim()) ?? [];
  if (minutes === undefined || seconds === undefined) return null;
  return ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds);
}

/** Words with which SLURM says that there is nothing to say. */
const NOTHING = new Set(['', 'None', 'N/A', '(null)', 'None assigned']);
const said = (text: string): string | null => (NOTHING.has(text) ? null : text);
const WHOLE = /^\d{1,15}$/;

/** What `squeue` is asked for. The reason comes last, for it is free text. */
export const QUEUE_FORMAT = '%F|%K|%j|%T|%M|%L|%N|%r';
const QUEUE_COLUMNS = QUEUE_FORMAT.split('|').length;

/** The line's columns; the last takes the rest of the line. Undefined where there are too few. */
function columnsOf(line: string, count: number): string[] | undefined {
  const cells = line.split('|');
  if (cells.length < count) return undefined;
  return [...cells.slice(0, count - 1), cells.slice(count - 1).join('|')].map((cell) => cell.trim());
}

/** The tasks in what `squeue --array --noheader` printed. Lines of another form, such as of jobs that are no array, are left out. */
export function parseQueue(text: string): SlurmTask[] {
  return text.split('\n').flatMap((line) => {
    const columns = columnsOf(line, QUEUE_COLUMNS);
    if (columns === undefined) return [];
    const [array, task, name, state, used, left, node, reason] = columns as [string, ...string[]];
    if (!WHOLE.test(array) || !WHOLE.test(task!)) return [];
    return [
      {
        array: Number(array),
        task: Number(task),
        name: name!,
        state: state!,
        phase: phaseOf(state!),
        reason: said(reason!),
        secondsUsed: parseDuration(used!),
        secondsLeft: parseDuration(left!),
        node: said(node!),
      },
    ];
  });
}

/** What `sacct` is asked for. */
export const HISTORY_FORMAT = 'JobID,JobName,State,Elapsed,NodeList,Reason';
const HISTORY_COLUMNS = HISTORY_FORMAT.split(',').length;

/** The tasks in what `sacct --parsable2 --noheader --allocations` printed. Those that SLURM has not taken apart yet are left out. */
export function parseHistory(text: string): SlurmTask[] {
  return text.split('\n').flatMap((line) => {
    const columns = columnsOf(line, HISTORY_COLUMNS);
    const [, array, task] = /^(\d{1,15})_(\d{1,15})$/.exec(columns?.[0] ?? '') ?? [];
    if (columns === undefined || array === undefined) return [];
    const [, name, states, used, node, reason] = columns as [string, ...string[]];
    // "CANCELLED by 1000" says who did it as well.
    const state = states!.split(' ')[0]!;
    return [
      {
        array: Number(array),
        task: Number(task),
        name: name!,
        state,
        phase: phaseOf(state),
        reason: said(reason!),
        secondsUsed: parseDuration(used!),
        secondsLeft: null,
        node: said(node!),
      },
    ];
  });
}

/** What SLURM calls a task. */
export const idOfTask = ({ array, task }: Pick<SlurmTask, 'array' | 'task'>): string => `${array}_${task}`;

const ENDS: Readonly<Record<string, string>> = {
  TIMEOUT: 'ran longer than its time limit',
  OUT_OF_MEMORY: 'needed more memory than it had asked for',
  NODE_FAIL: 'lost its node',
  BOOT_FAIL: 'lost its node',
  PREEMPTED: 'had to make way for another job',
  DEADLINE: 'came too late for its deadline',
  CANCELLED: 'was cancelled',
  UNKNOWN: 'is no longer known to SLURM',
};

/** Why a task ended without a result, after "it": `ran longer than its time limit`. */
export function endInWords({ state, reason }: Pick<SlurmTask, 'state' | 'reason'>): string {
  if (state === 'CANCELLED' && reason === NEVER_SATISFIED) return 'was cancelled, for a job before it failed';
  return ENDS[state] ?? (state === 'FAILED' ? 'failed' : `ended with the state ${state}`);
}

/** The state of a task of which SLURM no longer knows how it ended: our own word. */
export const FORGOTTEN = 'UNKNOWN';
/** SLURM's reason for a task that waits for one which has failed. */
export const NEVER_SATISFIED = 'DependencyNeverSatisfied';
