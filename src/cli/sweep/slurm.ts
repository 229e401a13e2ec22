/** `hypergrad sweep --slurm`: a sweep's missing jobs, handed to a cluster. */
import { join, resolve } from 'node:path';
import { Option } from 'commander';
import { ConfigError } from '../../errors.js';
import { requirePagePackages } from '../../pipeline/optionalImports.js';
import { counted } from '../../pipeline/report/wording.js';
import { quote } from '../../pipeline/shellWord.js';
import { identifyRuns } from '../../pipeline/sweep/dataIdentity.js';
import type { Job } from '../../pipeline/sweep/graph.js';
import { graphOf } from '../../pipeline/sweep/jobs.js';
import type { PlannedRun } from '../../pipeline/sweep/members.js';
import { publishMissing } from '../../pipeline/sweep/publish.js';
import { needsOf, type SweepCosts, sweepCosts } from '../../pipeline/sweep/slurm/costs.js';
import { parseSlurmOption, type ResourceRequest, requestFor } from '../../pipeline/sweep/slurm/request.js';
import { slurmCommands } from '../../pipeline/sweep/slurm/scheduler.js';
import { SLURM_FOLDER } from '../../pipeline/sweep/slurm/script.js';
import { slurmFolder } from '../../pipeline/sweep/slurm/slurmFolder.js';
import {
  type SubmissionReport,
  type SubmittedArray,
  submitSweep,
} from '../../pipeline/sweep/slurm/submit.js';
import { finishedJobs, writeSweep } from '../../pipeline/sweep/sweepFolder.js';
import { type ConfigFlags, type DeviceFlags, deviceOf } from '../asked.js';
import { collect, wholeNumber } from '../optionValues.js';
import { openTunedDevice } from '../tunedDevice.js';
import { type Voice, voiceOf } from '../voice.js';
import { readRuns, sweepFolderOf } from './runs.js';

/** What the user typed about SLURM. */
export interface SlurmFlags {
  readonly slurm?: boolean;
  readonly slurmOption?: readonly string[];
  readonly slurmGpus?: number;
  readonly slurmSetup?: readonly string[];
  readonly dryRun?: boolean;
  /** Commander's name for `--no-estimate`. */
  readonly estimate?: boolean;
}

interface Flags extends ConfigFlags, DeviceFlags, SlurmFlags {
  readonly out?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** The options of `hypergrad sweep` that are about SLURM. */
export const slurmOptions = (): Option[] => [
  new Option(
    '--slurm',
    "submit the missing jobs to SLURM; the sweep's folder must be one that every node sees",
  ),
  new Option(
    '--slurm-option <option>',
    'an option for sbatch, such as partition=gpu or time=120; may be given again',
  ).argParser(collect),
  new Option('--slurm-gpus <number>', 'GPUs for each job').argParser(
    wholeNumber('--slurm-gpus', { least: 0, most: 64 }),
  ),
  new Option(
    '--slurm-setup <line>',
    "a line of shell before each job, such as 'module load nodejs'; may be given again",
  ).argParser(collect),
  new Option('--dry-run', 'with --slurm: only write the scripts that would be submitted'),
  new Option('--no-estimate', 'with --slurm: measure nothing, and leave time and memory to the partition'),
];

/** Refuses options that say something without `--slurm` to someone who has not asked for it. Throws `ConfigError`. */
export function requireSlurmAsked({
  slurmOption,
  slurmGpus,
  slurmSetup,
  dryRun,
  estimate,
}: SlurmFlags): void {
  const given = Object.entries({
    '--slurm-option': slurmOption !== undefined,
    '--slurm-gpus': slurmGpus !== undefined,
    '--slurm-setup': slurmSetup !== undefined,
    '--dry-run': dryRun === true,
    '--no-estimate': estimate === false,
  }).find(([, isGiven]) => isGiven)?.[0];
  if (given === undefined) return;
  throw new ConfigError(
    `${given} is about SLURM: give --slurm as well, or leave it out. What a sweep takes here shows \`hypergrad plan\`.`,
  );
}

async function measure(
  sweep: string,
  runs: readonly PlannedRun[],
  flags: Flags,
  voice: Voice,
): Promise<SweepCosts> {
  return await sweepCosts(sweep, runs, async (estimate) => {
    const { device, description } = await openTunedDevice(deviceOf(flags));
    try {
      voice.remark(`${description}\nTime and memory are estimated on it.`);
      return await estimate(device, (what) => voice.step(`estimating ${what}`));
    } finally {
      device.close();
    }
  });
}

/** Words that start hypergrad on a node: this very one, where it can be started again. */
const commandOf = (script: string | null): string[] =>
  script === null ? ['hypergrad'] : [process.execPath, resolve(script)];

/** What a submission came to, in a few lines. */
export function describeSubmission(
  { arrays, done, queued }: SubmissionReport,
  sweep: string,
  isDryRun: boolean,
): string {
  const tasks = arrays.reduce((total, array) => total + array.tasks, 0);
  const scripts = join(sweep, SLURM_FOLDER);
  const rest = [
    ...(done > 0 ? [`${done} are done`] : []),
    ...(queued > 0 ? [`SLURM has ${queued} already`] : []),
  ];
  const others = rest.length === 0 ? '' : `; ${rest.join(', ')}`;
  if (isDryRun) {
    return `Scripts for ${counted(tasks, 'job')} in ${counted(arrays.length, 'array')}${others}: ${scripts}. \`sh ${quote(join(scripts, 'submit.sh'))}\` submits them, and so does the same command without --dry-run.`;
  }
  if (arrays.length === 0) return `Nothing to submit${others}.`;
  return `Submitted ${counted(tasks, 'job')} in ${counted(arrays.length, 'array')}${others}.\nHow far they are: hypergrad status ${quote(sweep)}`;
}

const arrayLine = ({ kind, tasks, number, name }: SubmittedArray): string =>
  `${number === null ? name : number}: ${kind}, ${counted(tasks, 'job')}`;

/**
 * Submits what is missing of a sweep.
 *
 * @param script the command line's own, by which nodes start it; null where it is `hypergrad` on their path
 * @throws ConfigError for options that do not fit, SchedulerError where SLURM is absent, does not answer or refuses.
 */
export async function submitToSlurm(
  path: string | undefined,
  flags: Flags,
  script: string | null,
): Promise<void> {
  const options = (flags.slurmOption ?? []).map(parseSlurmOption);
  const runs = readRuns(path, flags);
  // The nodes start this very installation: without them each run would fail at its end.
  if (flags.dryRun !== true) await requirePagePackages();
  const sweep = flags.out ?? sweepFolderOf(path, flags);
  const voice = voiceOf(flags);
  const graph = graphOf(runs, await identifyRuns(runs));
  const done = await finishedJobs(sweep, graph);
  const slurm = slurmCommands();
  const isDryRun = flags.dryRun === true;
  // Before minutes go into an estimate.
  if (!isDryRun) await slurm.mostTasks();
  await writeSweep(sweep, graph, runs);
  if (!isDryRun) await publishMissing(sweep, graph, done);
  const isMeasured = flags.estimate !== false && done.size < graph.jobs.length;
  const costs = isMeasured ? await measure(sweep, runs, flags, voice) : null;
  const requests = new Map<Job, ResourceRequest>();
  const report = await submitSweep({
    ...{ graph, done, slurm, isDryRun, options },
    folder: slurmFolder(resolve(sweep)),
    workingFolder: resolve('.'),
    command: commandOf(script),
    jobOptions: flags.device === undefined ? [] : ['--device', flags.device],
    gpus: flags.slurmGpus ?? 0,
    setup: flags.slurmSetup ?? [],
    requestOf(job) {
      const known = requests.get(job) ?? requestFor(needsOf(costs, job));
      requests.set(job, known);
      return known;
    },
    submitted: (array) => voice.step(arrayLine(array)),
  });
  voice.say(describeSubmission(report, sweep, isDryRun));
  if (flags.json) {
    const scripts = join(sweep, SLURM_FOLDER);
    process.stdout.write(`${JSON.stringify({ sweep, scripts, ...report }, null, 2)}\n`);
  }
}
