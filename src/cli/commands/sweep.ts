import { Command, Option } from 'commander';
import { EXIT_CODES, messageOf } from '../../errors.js';
import { findPagePackages, requirePagePackages } from '../../pipeline/optionalImports.js';
import { counted, longDuration } from '../../pipeline/report/wording.js';
import { quote } from '../../pipeline/shellWord.js';
import { identifyRuns } from '../../pipeline/sweep/dataIdentity.js';
import { type Job, type JobGraph, jobInWords, type Member } from '../../pipeline/sweep/graph.js';
import { graphOf } from '../../pipeline/sweep/jobs.js';
import { distinctBySeed, type PlannedRun } from '../../pipeline/sweep/members.js';
import { forgetWork, publishMissing } from '../../pipeline/sweep/publish.js';
import { openCollector, type SweepResults } from '../../pipeline/sweep/results.js';
import { RESULT_FILES, writeResults } from '../../pipeline/sweep/resultsPage.js';
import type { JobOutcome } from '../../pipeline/sweep/runJob.js';
import { runSweep, type SweepOutcome } from '../../pipeline/sweep/runSweep.js';
import { finishedJobs, writeSweep } from '../../pipeline/sweep/sweepFolder.js';
import { type ConfigFlags, commandLine, type DeviceFlags } from '../asked.js';
import { note } from '../help.js';
import { stoppable } from '../interruption.js';
import { collect, wholeNumber } from '../optionValues.js';
import { type Crew, openCrew } from '../sweep/crew.js';
import { readRuns, sweepFolderOf } from '../sweep/runs.js';
import { requireSlurmAsked, type SlurmFlags, slurmOptions, submitToSlurm } from '../sweep/slurm.js';
import { type Voice, voiceOf } from '../voice.js';

interface SweepFlags extends ConfigFlags, DeviceFlags, SlurmFlags {
  readonly out?: string;
  readonly workers?: number;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

interface Planned {
  readonly sweep: string;
  readonly graph: JobGraph;
  readonly runs: readonly PlannedRun[];
  readonly finished: ReadonlySet<string>;
  /** Told of each run that is finished. */
  readonly finishedRun: (member: Member) => void;
}

/** What a sweep has to do before its jobs begin. */
async function prepareSweep({ sweep, graph, runs, finished }: Omit<Planned, 'finishedRun'>): Promise<void> {
  await writeSweep(sweep, graph, runs);
  await forgetWork(sweep, finished);
}

/** Runs what is missing. */
async function runJobs(
  { sweep, graph, runs, finished, finishedRun }: Planned,
  { crew, flags, voice }: { readonly crew: Crew; readonly flags: SweepFlags; readonly voice: Voice },
): Promise<SweepOutcome> {
  const total = graph.jobs.length;
  let done = finished.size;
  const tell = (job: Job, text: string): void => {
    voice.step(`[${done}/${total}] ${jobInWords(job)} ${job.hash.slice(0, 8)} (${job.member}): ${text}`);
  };
  const listener = {
    begun() {},
    done(job: Job, { seconds, wasDone }: JobOutcome) {
      done += 1;
      if (job.kind === 'report') {
        for (const member of graph.members) if (member.jobs.at(-1) === job.hash) finishedRun(member);
      }
      tell(job, wasDone ? 'done by another worker' : longDuration(seconds));
    },
    failed(job: Job, error: unknown) {
      tell(job, `failed: ${messageOf(error)}`);
    },
  };
  return await stoppable(async (signal) => {
    signal.addEventListener('abort', () => crew.stop());
    await prepareSweep({ sweep, graph, runs, finished });
    const seen = await crew.look([...distinctBySeed(runs).values()].map(({ config }) => config));
    const workers = crew.workersOn(seen, flags.workers);
    voice.remark(
      `${seen.description}\n${counted(total, 'job')} for ${counted(runs.length, 'run')}, ${total - done} of them to do, by ${counted(workers, 'worker')}.`,
    );
    const execute = (job: Job): Promise<JobOutcome> => crew.execute(graph, job);
    const jobs = runSweep({ graph, finished, workers, listener, signal, execute });
    // Loaded beside the first jobs: one that is broken ends them after their steps.
    await requirePagePackages().catch(async (error: unknown) => {
      crew.stop();
      await jobs;
      throw error;
    });
    return await jobs;
  }, 'Stopping each job after its step, and keeping what is done.');
}

/** What became of the jobs, in a sentence or two. */
function summary({ found, done, failed, blocked, isStopped }: SweepOutcome, goOn: string): string {
  const parts = [
    `${counted(done.length, 'job')} done`,
    ...(found > 0 ? [`${found} were done before`] : []),
    ...(failed.length > 0 ? [`${failed.length} failed`] : []),
    ...(blocked.length > 0 ? [`${blocked.length} wait for one that failed`] : []),
  ];
  const rest = isStopped || failed.length > 0 ? ` To go on with what is missing: ${goOn}` : '';
  return `${parts.join(', ')}.${rest}`;
}

/** The exit code of a sweep: that of its failures where all have the same. */
function exitCodeOf({ failed, isStopped }: SweepOutcome): number {
  const codes = new Set(
    failed.map(({ error }) => (error as { exitCode?: number }).exitCode ?? EXIT_CODES.failure),
  );
  if (isStopped) return EXIT_CODES.interrupted;
  if (codes.size === 0) return EXIT_CODES.done;
  return codes.size === 1 ? [...codes][0]! : EXIT_CODES.failure;
}

interface Ended {
  readonly path: string | undefined;
  readonly flags: SweepFlags;
  readonly sweep: string;
  readonly voice: Voice;
  readonly results: SweepResults;
}

function tellOutcome(outcome: SweepOutcome, { path, flags, sweep, voice, results }: Ended): void {
  const goOn = `${commandLine('sweep', path, flags)} --out ${quote(sweep)}`;
  voice.say(`\n${summary(outcome, goOn)}\nResults: ${sweep}/${RESULT_FILES.page}`);
  process.exitCode = exitCodeOf(outcome);
  if (!flags.json) return;
  const failed = outcome.failed.map(({ job, error }) => ({
    hash: job.hash,
    job: jobInWords(job),
    message: messageOf(error),
  }));
  const { found, done, blocked, isStopped } = outcome;
  const counts = { found, done: done.length, failed: failed.length, blocked: blocked.length, isStopped };
  process.stdout.write(`${JSON.stringify({ sweep, counts, failed, results }, null, 2)}\n`);
}

async function sweepJobs(path: string | undefined, flags: SweepFlags, script: string | null): Promise<void> {
  if (flags.slurm) return await submitToSlurm(path, flags, script);
  requireSlurmAsked(flags);
  findPagePackages();
  const sweep = flags.out ?? sweepFolderOf(path, flags);
  const voice = voiceOf(flags);
  const crew = openCrew(script, { sweep, flags, voice });
  try {
    // Beside the planning. Where their number is known, all start at once.
    crew.start(flags.workers ?? 1);
    const runs = readRuns(path, flags);
    const graph = graphOf(runs, await identifyRuns(runs));
    const finished = await finishedJobs(sweep, graph);
    const collector = openCollector(sweep, graph);
    const finishedRun = (member: Member): void => {
      // Read while others compute; what cannot be read is told when all are collected.
      collector.collect(member).catch(() => undefined);
    };
    const planned = { sweep, graph, runs, finished, finishedRun };
    let outcome: SweepOutcome = { found: finished.size, done: [], failed: [], blocked: [], isStopped: false };
    if (finished.size === graph.jobs.length) await prepareSweep(planned);
    else outcome = await runJobs(planned, { crew, flags, voice });
    const [results] = await Promise.all([writeResults(sweep, graph, collector), crew.close()]);
    // Whoever finishes a report leaves its run; a kill may have been faster.
    await publishMissing(sweep, graph, await finishedJobs(sweep, graph));
    tellOutcome(outcome, { path, flags, sweep, voice, results });
  } finally {
    await crew.close();
  }
}

/**
 * The command `hypergrad sweep`.
 *
 * @param script the command line's own, by which processes are started; null where jobs run in this process
 */
export function sweepCommand(script: string | null): Command {
  const command = new Command('sweep')
    .description(
      'run every setting of a sweep with every seed, here or on a cluster, each job that they share once',
    )
    .argument('[sweep]', "a sweep's file in YAML or JSON, or a single configuration's")
    .option('--preset <name>', 'start from a preset')
    .option('--data <folder>', "folder of the dataset's files")
    .option('--out <folder>', "the sweep's folder; default: sweeps/ and the file's or preset's name")
    .option('--seed <number>', "one seed in the place of the file's")
    .option('--set <path=value>', 'set one value for all runs; may be given again', collect)
    .addOption(
      new Option(
        '--workers <number>',
        'processes that run jobs; default: one on a GPU, one for each core on a software device',
      )
        .argParser(wholeNumber('--workers', { least: 1, most: 256 }))
        .conflicts('slurm'),
    )
    .option('--json', 'print what became of the jobs, and the results, as JSON');
  for (const option of slurmOptions()) command.addOption(option);
  return command
    .addHelpText(
      'after',
      note(
        'A job that fails blocks those that read its result; all others go on. The same command does what is missing. Finished runs lie in runs/ of the folder, as `hypergrad run` leaves them.',
      ),
    )
    .action((path: string | undefined, flags: SweepFlags) => sweepJobs(path, flags, script));
}
