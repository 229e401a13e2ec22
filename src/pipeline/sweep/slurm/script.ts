/** The scripts that SLURM is given, as text that a person can read, keep and submit as well. */
import { counted } from '../../report/wording.js';
import { quote } from '../../shellWord.js';
import type { JobArray } from './arrays.js';
import type { SlurmOption } from './request.js';

/** Folder in the sweep's folder in which all of this lies. */
export const SLURM_FOLDER = 'slurm';
/** Folder in that one for what the tasks print. */
export const LOGS = 'logs';

/** File that names the job of each task, a line each. */
export const jobsFile = (array: string): string => `${array}.jobs`;
/** The script of an array. */
export const scriptFile = (array: string): string => `${array}.sh`;
/** What SLURM calls an array of a sweep: its user may have several sweeps there. */
export const slurmName = (sweepName: string, array: string): string => `hypergrad-${sweepName}-${array}`;
/** What a task prints goes there, from the sweep's folder. */
export const logFile = (array: string, number: number | string, task: number | string): string =>
  `${SLURM_FOLDER}/${LOGS}/${array}-${number}_${task}.log`;
/** The same for all tasks, as SLURM fills in what stands behind a `%`. */
const logPattern = (folder: string, array: string): string =>
  `${folder.replaceAll('%', '%%')}/${logFile(array, '%A', '%a')}`;

/** What all scripts of a sweep share. */
export interface ScriptOptions {
  /** Names the sweep among all that a cluster knows. */
  readonly sweepName: string;
  /** The sweep's folder, absolute, as every node sees it. */
  readonly folder: string;
  /** Where tasks begin, absolute: a configuration's paths are relative to it. */
  readonly workingFolder: string;
  /** Words that start hypergrad on a node. */
  readonly command: readonly string[];
  /** Words behind `job HASH --sweep FOLDER`, such as the choice of the device. */
  readonly jobOptions: readonly string[];
  /** GPUs for each task; 0 asks for none. */
  readonly gpus: number;
  /** The user's own options for sbatch; they take the place of those that hypergrad would set. */
  readonly options: readonly SlurmOption[];
  /** Lines of shell before the job, such as `module load nodejs`. */
  readonly setup: readonly string[];
}

function timeText(minutes: number): string {
  const [days, hours] = [Math.floor(minutes / (24 * 60)), Math.floor(minutes / 60) % 24];
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${days === 0 ? '' : `${days}-`}${two(hours)}:${two(minutes % 60)}:00`;
}

/** Options that all ask for the same: whoever sets one of them wants none of the others. */
const SAME: readonly (readonly string[])[] = [
  ['mem', 'mem-per-cpu', 'mem-per-gpu'],
  ['gres', 'gpus', 'gpus-per-node', 'gpus-per-task'],
  ['requeue', 'no-requeue'],
];

/** What an array is asked with, one option a line of its script. */
function optionsOf(
  array: JobArray,
  { sweepName, folder, workingFolder, gpus, options }: ScriptOptions,
): SlurmOption[] {
  const { minutes, mebibytes } = array.request;
  const own: SlurmOption[] = [
    { name: 'job-name', value: slurmName(sweepName, array.name) },
    { name: 'chdir', value: workingFolder },
    { name: 'output', value: logPattern(folder, array.name) },
    { name: 'open-mode', value: 'append' },
    { name: 'array', value: array.jobs.length === 1 ? '0' : `0-${array.jobs.length - 1}` },
    { name: 'ntasks', value: '1' },
    ...(minutes === null ? [] : [{ name: 'time', value: timeText(minutes) }]),
    ...(mebibytes === null ? [] : [{ name: 'mem', value: `${mebibytes}M` }]),
    ...(gpus === 0 ? [] : [{ name: 'gres', value: `gpu:${gpus}` }]),
    // A task of a lost node begins again on another, and goes on from its last checkpoint.
    { name: 'requeue', value: null },
    // What waits for a job that failed leaves the queue.
    { name: 'kill-on-invalid-dep', value: 'yes' },
  ];
  const isReplaced = ({ name }: SlurmOption): boolean =>
    options.some(
      (option) => option.name === name || SAME.some((all) => all.includes(name) && all.includes(option.name)),
    );
  return [...own.filter((option) => !isReplaced(option)), ...options];
}

const directive = ({ name, value }: SlurmOption): string =>
  `#SBATCH --${name}${value === null ? '' : `=${quote(value)}`}`;

/** The script of an array. Its tasks differ in their number alone, by which each finds its job. */
export function scriptText(array: JobArray, options: ScriptOptions): string {
  const file = `${options.folder}/${SLURM_FOLDER}/${jobsFile(array.name)}`;
  const start = [...options.command, 'job'].map(quote).join(' ');
  const rest = ['--sweep', options.folder, ...options.jobOptions].map(quote).join(' ');
  return [
    '#!/bin/sh',
    ...optionsOf(array, options).map(directive),
    '',
    `# ${counted(array.jobs.length, 'job')} of the kind ${array.kind}. Line n + 1 of ${jobsFile(array.name)} names the job of task n.`,
    'set -e',
    ...options.setup,
    `hash=$(sed -n "$((SLURM_ARRAY_TASK_ID + 1))p" ${quote(file)})`,
    // In the shell's place, so that SLURM's signals reach it.
    `exec ${start} "$hash" ${rest}`,
    '',
  ].join('\n');
}

/** A name as a variable of the shell. */
const variable = (array: string): string => `job_${array.replaceAll('-', '_')}`;

/** A script that submits all arrays in order, as `sweep --slurm` does. */
export function submitText(arrays: readonly JobArray[]): string {
  const lines = arrays.map(({ name, waitsFor }) => {
    const ids = waitsFor.flatMap((each) => {
      if ('id' in each) return [each.id];
      const number = `\${${variable(each.array)}}`;
      return each.tasks === null ? [number] : each.tasks.map((task) => `${number}_${task}`);
    });
    const waits = ids.length === 0 ? '' : ` --dependency=afterok:${ids.join(':')}`;
    return `${variable(name)}=$(sbatch --parsable${waits} ${quote(scriptFile(name))})\n${variable(name)}=\${${variable(name)}%%;*}`;
  });
  return [
    '#!/bin/sh',
    '# Submits every array behind those that it waits for. hypergrad sweep --slurm does the same, and knows what is submitted already.',
    'set -e',
    'cd "$(dirname "$0")"',
    ...lines,
    '',
  ].join('\n');
}
