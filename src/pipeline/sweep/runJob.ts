/** One job: claimed, computed in a folder of its own over the results that it reads, and given its final place. */
import { appendFile, mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { inspect } from 'node:util';
import { DataError, HypergradError, InterruptedError, messageOf, StoreError } from '../../errors.js';
import type { Device } from '../../gpu/device.js';
import type { Config } from '../config/schema.js';
import type { Dataset } from '../data/dataset.js';
import { evaluationFrom } from '../evaluate/evaluateEncoders.js';
import { encodeEvaluation } from '../evaluate/record.js';
import { decodeShare } from '../evaluate/shares.js';
import { type Progress, tellingAll } from '../progress.js';
import { runDeviceOf } from '../report/runDevice.js';
import type { RunDevice } from '../report/types.js';
import { gatherParts, runPart, runStage } from '../runStage.js';
import { openSession, readTimings, writeHead } from '../session.js';
import { type InputSource, inputsOf, nameOfInputs } from '../stageInputs.js';
import { files } from '../stages/context.js';
import { secondsOfStages, writeReport } from '../stages/report.js';
import { roundSeconds } from '../stopwatch.js';
import { fileLimits, readBounded } from '../store/boundedFile.js';
import { plainDisk } from '../store/disk.js';
import { exists } from '../store/exists.js';
import { TIMINGS } from '../store/fileNames.js';
import { MANIFEST } from '../store/manifest.js';
import { RunFolder } from '../store/runFolder.js';
import { leaveTrail } from '../watch/trail.js';
import { type Claim, type ClaimTimes, claimJob, forgetClaims } from './claim.js';
import { type Job, type JobGraph, jobInWords, jobsByName } from './graph.js';
import { adopt, type JobResult, layIn, readRecord, readResult, settle, takeWork } from './jobFolder.js';
import { stageOfJob } from './jobs.js';
import { publishReport } from './publish.js';
import { pathsOf, readJobConfig } from './sweepFolder.js';

/** The command that repeats a member's run, in its folder. */
const COMMAND = 'hypergrad run config.yaml';

/** A dataset with its hashes. */
export interface IdentifiedDataset {
  readonly dataset: Dataset;
  readonly identity: Pick<InputSource, 'data' | 'given'>;
}

/** What a worker runs jobs with; it keeps a device and data from one job to the next. */
export interface Worker {
  /** The data of a configuration; whoever gives it closes it. */
  load(config: Config): Promise<IdentifiedDataset>;
  /** Does work on the worker's device, and again on a reopened one where that was lost. */
  compute<Result>(
    folder: RunFolder,
    progress: Progress,
    work: (device: Device, progress: Progress) => Promise<Result>,
  ): Promise<Result>;
}

export interface JobOptions {
  /** The sweep's folder. */
  readonly sweep: string;
  readonly graph: JobGraph;
  readonly worker: Worker;
  readonly progress: Progress;
  /** When it is aborted, the job ends after its step, kept as it is then. */
  readonly signal?: AbortSignal;
  readonly checkpointSeconds?: number;
  readonly times?: ClaimTimes;
  /**
   * Given what is left to do once the result has its place: flushing that, removing the job's work, and leaving the runs that a report
   * is of. It may fail. Where nobody takes it, the job ends after it.
   */
  readonly later?: (rest: Promise<void>) => void;
  /** Told in a sentence what else is worth knowing, such as that another worker has the job. */
  readonly say?: (text: string) => void;
}

/** What became of a job. */
export interface JobOutcome {
  readonly hash: string;
  /** Whether it was done before, or by another worker. */
  readonly wasDone: boolean;
  /** Seconds that it took, when it was made. */
  readonly seconds: number;
}

/** The results that a job reads, in the graph's order. Throws `StoreError` where one is not there. */
async function resultsFor(sweep: string, graph: JobGraph, { after }: Job): Promise<JobResult[]> {
  const jobs = jobsByName(graph);
  const results: JobResult[] = [];
  for (const hash of after) {
    const before = jobs.get(hash)!;
    if (!(await exists(pathsOf(sweep).record(hash)))) {
      throw new StoreError(
        `The job ${hash} (${jobInWords(before)}) is not done, and what it makes is read here. Run it first: \`hypergrad sweep\` runs all in order.`,
      );
    }
    results.push(await readResult(sweep, before));
  }
  return results;
}

/** The device that a stage's parts were made on, as far as their inputs are named by it: the first one's. */
const tuningOf = (results: readonly JobResult[], kind: Job['kind']): string | undefined =>
  results.find(({ job }) => job.kind === kind)?.record.device.tuning;

interface Computing extends JobOptions {
  readonly job: Job;
  readonly config: Config;
  readonly data: IdentifiedDataset;
  readonly folder: RunFolder;
  readonly results: readonly JobResult[];
}

/** Does a job's own work; gives the device that it was done on. */
async function compute(computing: Computing): Promise<RunDevice> {
  const { job, config, data, folder, results, worker, progress, signal, checkpointSeconds } = computing;
  if (job.kind === 'report') return await finish(computing);
  const stage = stageOfJob(job.kind);
  return await worker.compute(folder, progress, async (device, progress) => {
    const session = await openSession({
      ...{ config, dataset: data.dataset, identity: data.identity, folder, device, progress },
      ...(signal === undefined ? {} : { signal }),
      ...(checkpointSeconds === undefined ? {} : { checkpointSeconds }),
    });
    if (job.kind === 'subset') {
      await gatherParts(stageOfJob('expert'), { ...session, tuning: tuningOf(results, 'expert') });
    }
    try {
      if (job.part === undefined) await runStage(stage, session);
      else await runPart(stage, job.part, session);
    } catch (error) {
      await session.events.flush().catch(() => undefined);
      throw error;
    }
    return runDeviceOf(device);
  });
}

/** Makes a whole run of what its jobs have left: the evaluation of its shares, the result and the report. */
async function finish({ config, data, folder, results, progress }: Computing): Promise<RunDevice> {
  const { dataset, identity } = data;
  progress.started('report', 1, 'report');
  const watch = performance.now();
  await writeHead(folder, config, dataset);
  const encoders = [];
  const made: string[] = [files.evaluation];
  for (const { job, path } of results) {
    if (job.kind !== 'evaluation') continue;
    const file = join(path, files.evaluationShare);
    encoders.push(...decodeShare(new TextDecoder().decode(await readBounded(file, fileLimits.record)), file));
    // The first share has it, unless an earlier version made it.
    const shown = join(path, files.representations);
    if (!(await exists(shown))) continue;
    await folder.writeBytes(files.representations, await readBounded(shown, fileLimits.data));
    made.push(files.representations);
  }
  const stage = stageOfJob('evaluation');
  const reads = inputsOf(stage, { config, folder, ...identity, tuning: tuningOf(results, 'evaluation') });
  await folder.writeText(files.evaluation, encodeEvaluation(evaluationFrom(config, dataset, encoders)));
  await folder.recordStage(stage.name, nameOfInputs(reads), made, { ...reads });
  const timings = runTimings(await readTimings(folder));
  await folder.writeText(TIMINGS, `${JSON.stringify(timings, null, 2)}\n`);
  const { device } = results.find(({ job }) => job.kind === 'distil')!.record;
  const seconds = secondsOfStages(config, timings);
  await writeReport({ dataset, folder }, { seconds, command: COMMAND, device });
  progress.finished('report', (performance.now() - watch) / 1000);
  return device;
}

/** Seconds by stage and part as a run keeps them, from those of the jobs: stages that were made in parts have their sum. */
function runTimings(timings: Readonly<Record<string, number>>): Record<string, number> {
  const all: Record<string, number> = {};
  for (const [name, seconds] of Object.entries(timings)) {
    const [stage = name] = name.split('/');
    all[stage] = roundSeconds((all[stage] ?? 0) + seconds);
    if (stage !== 'evaluate') all[name] = seconds;
  }
  return all;
}

/** Throws `DataError` where the data is not what the job was named by. */
function requireSameData({ members }: JobGraph, { member }: Job, { identity }: IdentifiedDataset): void {
  const named = members.find(({ name }) => name === member)!;
  if (named.data === identity.data && named.given === (identity.given ?? null)) return;
  throw new DataError(
    'The images, labels or given representations are not those that the sweep was planned with. Give the command of the sweep again: it plans anew, and keeps what does not depend on them.',
  );
}

async function note(sweep: string, hash: string, line: string): Promise<void> {
  const path = pathsOf(sweep).log(hash);
  await mkdir(dirname(path), { recursive: true })
    .then(() => appendFile(path, `${new Date().toISOString()} ${hostname()} ${process.pid}: ${line}\n`))
    // What a log does not take is no reason to lose the job.
    .catch(() => undefined);
}

/** A job whose result has its place. */
interface Worked {
  readonly seconds: number;
  /** What it worked in. */
  readonly folderPath: string;
}

/** Computes a claimed job, `begun` by `performance.now()`, and gives its result its place. */
async function work(job: Job, claim: Claim, options: JobOptions, begun: number): Promise<Worked> {
  const { sweep, graph, worker } = options;
  const results = await resultsFor(sweep, graph, job);
  const config = await readJobConfig(sweep, job);
  const data = await worker.load(config);
  requireSameData(graph, job, data);
  const folderPath = await takeWork(sweep, job.hash, claim.number);
  const run = join(folderPath, 'run');
  if (!(await exists(join(run, MANIFEST)))) {
    await plainDisk.remove(run);
    await layIn(run, results, { withEvents: job.kind === 'report' });
  }
  const folder = await RunFolder.open(run);
  const signals = [claim.lost, ...(options.signal === undefined ? [] : [options.signal])];
  // For `hypergrad status`; what a try said at its end is in its claim.
  const command = `hypergrad job ${job.hash} --sweep ${sweep}`;
  const trail = leaveTrail(run, { command, image: data.dataset.image });
  let device: RunDevice;
  try {
    device = await compute({
      ...options,
      ...{ job, config, data, folder, results, signal: AbortSignal.any(signals) },
      progress: tellingAll(options.progress, trail),
    });
  } finally {
    await trail.end();
    await folder.close();
  }
  await claim.check();
  const { hash, kind } = job;
  let seconds = 0;
  await adopt(sweep, job, {
    work: folderPath,
    record() {
      seconds = roundSeconds((performance.now() - begun) / 1000);
      return {
        ...{ version: 1, hash, kind, device, seconds },
        ...{ machine: hostname(), finished: new Date().toISOString() },
      };
    },
  });
  claim.stop();
  return { seconds, folderPath };
}

/** What is left to do of a job whose result has its place. */
async function windUp(
  { hash }: Job,
  { sweep, graph }: JobOptions,
  { seconds, folderPath }: Worked,
): Promise<void> {
  await Promise.all([
    settle(sweep),
    plainDisk.remove(folderPath).catch(() => undefined),
    forgetClaims(sweep, hash),
    note(sweep, hash, `Done in ${seconds} s.`),
    publishReport(sweep, graph, hash),
  ]);
}

/**
 * Runs a job unless its result is there; where another worker has it, waits for that one's result, or for its death. What a broken
 * off try has kept is gone on with.
 *
 * @throws InterruptedError when the signal is aborted, once the job is kept; otherwise what the job's work throws.
 */
export async function runJob(job: Job, options: JobOptions): Promise<JobOutcome> {
  const { sweep, graph, signal, times, later, say = () => {} } = options;
  const { hash } = job;
  for (;;) {
    let begun = performance.now();
    let hasWaited = false;
    const claim = await claimJob(sweep, hash, {
      ...(signal === undefined ? {} : { signal }),
      ...(times === undefined ? {} : { times }),
      waiting(text) {
        hasWaited = true;
        say(`${jobInWords(job)} ${hash}: ${text}. Waiting for it.`);
      },
    });
    if (claim === null) {
      await publishReport(sweep, graph, hash);
      return { hash, wasDone: true, seconds: (await readRecord(sweep, hash)).seconds };
    }
    if (hasWaited) begun = performance.now();
    const begins = note(sweep, hash, `${jobInWords(job)} of ${job.member} begins, try ${claim.number + 1}.`);
    let worked: Worked;
    try {
      worked = await work(job, claim, options, begun);
      await begins;
    } catch (error) {
      await begins;
      claim.stop();
      // The other one's result is this one's too; a work folder that is gone fails in any words.
      if (claim.lost.aborted || (await exists(pathsOf(sweep).record(hash)))) {
        await note(sweep, hash, 'Another worker has taken the job over.');
        continue;
      }
      const isStopped = error instanceof InterruptedError;
      const message = messageOf(error);
      const exitCode = error instanceof HypergradError ? error.exitCode : 1;
      await note(sweep, hash, isStopped ? message : inspect(error));
      const at = new Date().toISOString();
      await claim.giveBack({ outcome: isStopped ? 'stopped' : 'failed', message, exitCode, at });
      throw error;
    }
    const rest = windUp(job, options, worked);
    if (later === undefined) await rest;
    else later(rest);
    return { hash, wasDone: false, seconds: worked.seconds };
  }
}
