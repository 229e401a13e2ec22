/** Sweeps of a cut-down `tiny-test`, whose jobs take fractions of a second. */
import type { Device } from '../../src/gpu/device.js';
import type { Config } from '../../src/pipeline/config/schema.js';
import { loadDataset } from '../../src/pipeline/data/dataset.js';
import { silentProgress } from '../../src/pipeline/progress.js';
import { identifyData } from '../../src/pipeline/session.js';
import { identifyRuns } from '../../src/pipeline/sweep/dataIdentity.js';
import type { Job, JobGraph, JobKind } from '../../src/pipeline/sweep/graph.js';
import { graphOf } from '../../src/pipeline/sweep/jobs.js';
import { type PlannedRun, plannedRuns } from '../../src/pipeline/sweep/members.js';
import {
  type IdentifiedDataset,
  type JobOptions,
  runJob,
  type Worker,
} from '../../src/pipeline/sweep/runJob.js';
import { runSweep, type SweepOutcome } from '../../src/pipeline/sweep/runSweep.js';
import { parseSweep } from '../../src/pipeline/sweep/schema.js';
import { finishedJobs, writeSweep } from '../../src/pipeline/sweep/sweepFolder.js';

/** Two settings and two seeds: runs of one seed share everything up to the subset. */
const TINY_SWEEP = `preset: tiny-test
config:
  data: { train: 100, test: 50 }
  distil: { snapshots: 2 }
  evaluate: { seeds: 2, rows: [randomEncoder, mkdt], batch: 5, labels: [0.2], transfer: [{ architecture: mlp, width: 8 }] }
grid: { distil.steps: [1, 2] }
seeds: [1, 2]
`;

export interface TinySweep {
  readonly runs: readonly PlannedRun[];
  readonly graph: JobGraph;
}

export async function tinySweep(text = TINY_SWEEP): Promise<TinySweep> {
  const runs = plannedRuns({ file: parseSweep(text, 'sweep.yaml')!, path: 'sweep.yaml' });
  return { runs, graph: graphOf(runs, await identifyRuns(runs)) };
}

const loaded = new Map<string, Promise<IdentifiedDataset>>();

async function load(config: Config): Promise<IdentifiedDataset> {
  const dataset = await loadDataset(config.data, config.seed);
  return { dataset, identity: await identifyData({ config, dataset }) };
}

/** A worker of this process, over a device that is open. */
const workerOn = (device: Device): Worker => ({
  async load(config) {
    const key = JSON.stringify([config.data, config.seed]);
    const known = loaded.get(key) ?? load(config);
    loaded.set(key, known);
    return await known;
  },
  compute: (_, progress, work) => work(device, progress),
});

export type Changes = Partial<Omit<JobOptions, 'sweep' | 'graph'>>;

export const optionsFor = (
  device: Device,
  sweep: string,
  graph: JobGraph,
  changes: Changes = {},
): JobOptions => ({
  ...{ sweep, graph, worker: workerOn(device), progress: silentProgress },
  ...changes,
});

/** Runs what is missing of a sweep, one job at a time. */
export async function runTinySweep(
  device: Device,
  sweep: string,
  { graph, runs }: TinySweep,
  changes: Changes = {},
): Promise<SweepOutcome> {
  await writeSweep(sweep, graph, runs);
  return await runSweep({
    ...{ graph, finished: await finishedJobs(sweep, graph), workers: 1 },
    listener: { begun() {}, done() {}, failed() {} },
    execute: (job) => runJob(job, optionsFor(device, sweep, graph, changes)),
  });
}

/** The first job of a kind. */
export const jobOf = ({ jobs }: JobGraph, kind: JobKind): Job => jobs.find((job) => job.kind === kind)!;
