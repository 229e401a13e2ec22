/** What the jobs of a sweep take, measured on the device once for each configuration that differs in more than its seed. */

import { DataError } from '../../errors.js';
import type { AdapterDescription, Device } from '../../gpu/device.js';
import { requireFit } from '../config/rules.js';
import type { Config } from '../config/schema.js';
import { type Dataset, loadDataset } from '../data/dataset.js';
import { type Estimate, estimateRun } from '../estimate/estimate.js';
import { sharesOf } from '../evaluate/shares.js';
import { type Job, type JobGraph, type JobKind, jobKinds, stageOfKind } from './graph.js';
import { distinctBySeed, type PlannedRun, seedlessKey } from './members.js';
import { standIn } from './standIn.js';

/** What one job takes. */
export interface JobCost {
  /** Seconds on the device that was measured; null where that cannot run it. */
  readonly seconds: number | null;
  /** Most bytes of device memory at a time; null where it is not known. */
  readonly deviceBytes: number | null;
  /** Bytes that the host's arrays take at least; null where it is not known. */
  readonly hostBytes: number | null;
  /** Bytes of the files that it leaves; null where it is not known. */
  readonly diskBytes: number | null;
}

/** What the jobs of one configuration take, by kind; a report, which takes a second, has none. */
export type KindCosts = Readonly<Partial<Record<JobKind, JobCost>>>;

/** What the jobs of a sweep take. */
export interface SweepEstimate {
  /** The device that was measured. */
  readonly device: AdapterDescription;
  /** By the member's name; null where the data's size is not known here. */
  readonly members: ReadonlyMap<string, KindCosts | null>;
  /** Sources whose files are not here, so that the official sets' counts stand for them. */
  readonly standIns: readonly string[];
}

/** Seconds that all measurements of a plan may take, shared among its configurations. */
const BUDGET = 180;
const [LEAST, MOST] = [4, 45];

/** How many jobs of a kind make its stage. */
function countOf(kind: JobKind, config: Config): number {
  if (kind === 'expert') return config.experts.count;
  return kind === 'evaluation' ? sharesOf(config).length : 1;
}

const over = (value: number | null | undefined, count: number): number | null =>
  value === null || value === undefined ? null : value / count;

/** An estimate of a run, divided among its jobs. */
function costsOf(estimate: Estimate, config: Config): KindCosts {
  const costs: Partial<Record<JobKind, JobCost>> = {};
  for (const kind of jobKinds) {
    const stage = stageOfKind[kind];
    const space = estimate.space.find((each) => each.stage === stage);
    if (space === undefined) continue;
    const times = estimate.times.filter((each) => each.stage === stage);
    const isRefused = times.some(({ seconds }) => seconds === null);
    const sum = times.reduce((total, { runs, seconds }) => total + runs * (seconds ?? 0), 0);
    const count = countOf(kind, config);
    costs[kind] = {
      seconds: isRefused ? null : sum / count,
      deviceBytes: space.deviceBytes,
      hostBytes: estimate.host.find((each) => each.stage === stage)?.bytes ?? null,
      diskBytes: over(space.diskBytes, count),
    };
  }
  return costs;
}

/** The data of a configuration, or what stands for it where it is not here; null where nothing can. */
async function dataFor(
  config: Config,
): Promise<{ readonly dataset: Dataset; readonly isThere: boolean } | null> {
  try {
    return { dataset: await loadDataset(config.data, config.seed), isThere: true };
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    const dataset = standIn(config);
    return dataset === null ? null : { dataset, isThere: false };
  }
}

/**
 * Measures what the jobs of a sweep take.
 *
 * @throws DeviceError when the device cannot even run the steps on a few images; ConfigError where data and configuration do not fit.
 */
export async function estimateSweep(
  device: Device,
  runs: readonly PlannedRun[],
  progress: (what: string) => void = () => {},
): Promise<SweepEstimate> {
  const distinct = distinctBySeed(runs);
  const budget = Math.min(MOST, Math.max(LEAST, BUDGET / distinct.size));
  const costs = new Map<string, KindCosts | null>();
  const standIns = new Set<string>();
  let done = 0;
  for (const [key, { name, config }] of distinct) {
    done += 1;
    const count = distinct.size === 1 ? '' : ` (configuration ${done} of ${distinct.size}: ${name})`;
    const found = await dataFor(config);
    if (found === null) {
      costs.set(key, null);
      continue;
    }
    if (!found.isThere) standIns.add(config.data.source);
    try {
      requireFit(config, found.dataset);
      const estimate = await estimateRun(device, config, found.dataset, {
        budget,
        progress: (what) => progress(`${what}${count}`),
      });
      costs.set(key, costsOf(estimate, config));
    } finally {
      found.dataset.close();
    }
  }
  return {
    device: device.adapter,
    members: new Map(runs.map((run) => [run.name, costs.get(seedlessKey(run))!])),
    standIns: [...standIns],
  };
}

/** What a job takes; null where it is not known. */
export const costOf = ({ members }: SweepEstimate, { member, kind }: Job): JobCost | null =>
  members.get(member)?.[kind] ?? null;

/** What jobs take together. */
export interface SweepTotals {
  /** Seconds of all jobs, one after the other; of those that are known. */
  readonly seconds: number;
  /** Seconds of the longest chain of jobs that wait for each other: no number of workers makes the sweep shorter. */
  readonly longestChain: number;
  /** Bytes of all files that are left. */
  readonly diskBytes: number;
}

/** What the jobs of a graph take together, those aside that are done. */
export function totalsOf(
  { jobs }: JobGraph,
  estimate: SweepEstimate,
  finished: ReadonlySet<string> = new Set(),
): SweepTotals {
  const ends = new Map<string, number>();
  let [seconds, diskBytes] = [0, 0];
  for (const job of jobs) {
    const cost = finished.has(job.hash) ? null : costOf(estimate, job);
    seconds += cost?.seconds ?? 0;
    diskBytes += cost?.diskBytes ?? 0;
    let start = 0;
    for (const before of job.after) start = Math.max(start, ends.get(before)!);
    ends.set(job.hash, start + (cost?.seconds ?? 0));
  }
  let longestChain = 0;
  for (const end of ends.values()) longestChain = Math.max(longestChain, end);
  return { seconds, longestChain, diskBytes };
}
