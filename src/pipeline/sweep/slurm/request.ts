/** What is asked of SLURM for a job: time and memory from its estimate, and what the user wants. */
import { ConfigError } from '../../../errors.js';
import { shown } from '../../store/shownText.js';

/** What a job will take, by an estimate. */
export interface JobNeeds {
  /** Seconds; null where that could not be estimated. */
  readonly seconds: number | null;
  /** Bytes of the machine's memory, a software device's own among them; null where that could not be estimated. */
  readonly memoryBytes: number | null;
}

/** What an array's tasks are given, each. */
export interface ResourceRequest {
  /** Null leaves it to the partition. */
  readonly minutes: number | null;
  /** Null leaves it to the partition. */
  readonly mebibytes: number | null;
}

/** Nodes differ, and an estimate is one: a job is given so many times its seconds. */
const TIME_FACTOR = 2;
/** Seconds for the start of the process, the reading of data and the opening of a device. */
const TIME_BESIDE = 5 * 60;
const LEAST_MINUTES = 10;
/** Node's own memory, code and what the estimate leaves out. */
const MEMORY_FACTOR = 1.25;
const MEMORY_BESIDE = 512 * 2 ** 20;
/** Limits are rounded up, so that jobs that differ little share an array. */
const MINUTES_STEP = 5;
const MEBIBYTES_STEP = 256;

const roundUp = (value: number, step: number): number => step * Math.ceil(value / step);

/** What to ask for a job, with room to spare. */
export const requestFor = ({ seconds, memoryBytes }: JobNeeds): ResourceRequest => ({
  minutes:
    seconds === null
      ? null
      : Math.max(LEAST_MINUTES, roundUp((TIME_FACTOR * seconds + TIME_BESIDE) / 60, MINUTES_STEP)),
  mebibytes:
    memoryBytes === null
      ? null
      : roundUp((MEMORY_FACTOR * memoryBytes + MEMORY_BESIDE) / 2 ** 20, MEBIBYTES_STEP),
});

/** An option of sbatch: its long name without dashes, and its value, or null without one. */
export interface SlurmOption {
  readonly name: string;
  readonly value: string | null;
}

/** What hypergrad sets itself, and why nobody else may. */
const OWN: Readonly<Record<string, string>> = {
  array: 'tasks are numbered by the jobs that are missing',
  dependency: 'jobs wait for those that they read',
  'job-name': 'hypergrad knows its jobs by their names',
  chdir: "jobs run where the sweep's command was given",
  output: 'hypergrad status reads the logs in the sweep folder',
  error: 'hypergrad status reads the logs in the sweep folder',
  'open-mode': 'a job that runs again goes on with its log',
  'kill-on-invalid-dep': 'what cannot run any more has to leave the queue',
  parsable: 'hypergrad reads the answer of sbatch',
  wrap: 'scripts are written by hypergrad',
  wait: 'hypergrad status tells how far the jobs are',
  ntasks: 'a job is one process',
  'test-only': 'sweep --slurm --dry-run shows what would be submitted',
};
const LONG_NAME: Readonly<Record<string, string>> = {
  A: 'account',
  C: 'constraint',
  D: 'chdir',
  G: 'gpus',
  J: 'job-name',
  W: 'wait',
  a: 'array',
  c: 'cpus-per-task',
  d: 'dependency',
  e: 'error',
  n: 'ntasks',
  o: 'output',
  p: 'partition',
  q: 'qos',
  t: 'time',
  w: 'nodelist',
  x: 'exclude',
};
const FORM = /^(?:--?)?([A-Za-z][A-Za-z-]*)(?:[= ](.+))?$/u;

/**
 * Reads an option for sbatch as users write it: `--partition=gpu`, `partition=gpu`, `-p gpu`, `exclusive`.
 *
 * @throws ConfigError where it has another form, or is one that hypergrad sets itself.
 */
export function parseSlurmOption(text: string): SlurmOption {
  const [, written, value] = FORM.exec(text.trim()) ?? [];
  const isOneLine = ![...text].some((character) => character < ' ' || character === '\u007f');
  if (written === undefined || !isOneLine) {
    throw new ConfigError(
      `--slurm-option ${JSON.stringify(shown(text))} is no option of sbatch. Write its long name and value: --slurm-option=partition=gpu.`,
    );
  }
  const name = LONG_NAME[written] ?? written;
  const reason = Object.hasOwn(OWN, name) ? OWN[name] : undefined;
  if (reason !== undefined) {
    throw new ConfigError(`--slurm-option ${name} cannot be set: ${reason}. Leave it out.`);
  }
  if (name.length === 1) {
    throw new ConfigError(
      `--slurm-option ${JSON.stringify(shown(text))} is not known by its letter. Write its long name.`,
    );
  }
  return { name, value: value ?? null };
}
