/**
 * What a sweep's jobs take, for their limits on a cluster. It is measured once for each configuration and kept in the sweep's folder,
 * so that submitting what is missing takes no minutes.
 */
import { join } from 'node:path';
import { z } from 'zod';
import type { Device } from '../../../gpu/device.js';
import { fileLimits, readBounded } from '../../store/boundedFile.js';
import { plainDisk } from '../../store/disk.js';
import { parseJson } from '../../store/strictJson.js';
import { estimateSweep, type JobCost, type KindCosts, type SweepEstimate } from '../estimate.js';
import { type Job, jobKinds } from '../graph.js';
import { type PlannedRun, seedlessKey } from '../members.js';
import type { JobNeeds } from './request.js';
import { SLURM_FOLDER } from './script.js';

const VERSION = 1;
const FILE = 'costs.json';

const number = z.number().nullable();
const costSchema = z.object({ seconds: number, deviceBytes: number, hostBytes: number, diskBytes: number });
const keptSchema = z.object({
  version: z.literal(VERSION),
  /** By the hash of a configuration without its seed. */
  configurations: z.record(
    z.string(),
    z.object({
      /** Whether the device that was measured shares the machine's memory. */
      isSoftware: z.boolean(),
      kinds: z.partialRecord(z.enum(jobKinds), costSchema).nullable(),
    }),
  ),
});

type Kept = z.infer<typeof keptSchema>['configurations'];

/** What jobs take, by the member's name. */
export type SweepCosts = ReadonlyMap<
  string,
  { readonly isSoftware: boolean; readonly kinds: KindCosts | null }
>;

/** Seconds of a report, which reads and writes files only. */
const REPORT_SECONDS = 60;

async function readKept(path: string): Promise<Kept> {
  try {
    const text = new TextDecoder().decode(await readBounded(path, fileLimits.record));
    return keptSchema.parse(parseJson(text)).configurations;
  } catch {
    // What cannot be read is measured again.
    return {};
  }
}

/** Measures on a device that is opened for it. */
export type Estimator = (
  estimate: (device: Device, progress: (what: string) => void) => Promise<SweepEstimate>,
) => Promise<SweepEstimate>;

/** What the jobs of a sweep take; only what was not measured before is measured. Throws as `estimateSweep` does. */
export async function sweepCosts(
  sweep: string,
  runs: readonly PlannedRun[],
  measure: Estimator,
): Promise<SweepCosts> {
  const path = join(sweep, SLURM_FOLDER, FILE);
  const kept = { ...(await readKept(path)) };
  const missing = runs.filter((run) => kept[seedlessKey(run)] === undefined);
  if (missing.length > 0) {
    const { device, members } = await measure((opened, progress) => estimateSweep(opened, missing, progress));
    for (const run of missing) {
      const kinds = members.get(run.name) ?? null;
      kept[seedlessKey(run)] = { isSoftware: device.kind === 'software', kinds };
    }
    await plainDisk.writeWhole(path, `${JSON.stringify({ version: VERSION, configurations: kept })}\n`);
  }
  return new Map(runs.map((run) => [run.name, kept[seedlessKey(run)]!]));
}

const UNKNOWN: JobNeeds = { seconds: null, memoryBytes: null };

/** What one job needs of a node; nothing is known without costs. */
export function needsOf(costs: SweepCosts | null, { member, kind }: Pick<Job, 'member' | 'kind'>): JobNeeds {
  const found = costs?.get(member);
  if (found === undefined || found.kinds === null) return UNKNOWN;
  const { isSoftware, kinds } = found;
  // A report reads the images as the evaluation does, and computes nothing.
  if (kind === 'report') return { seconds: REPORT_SECONDS, memoryBytes: kinds.evaluation?.hostBytes ?? null };
  const cost: JobCost | undefined = kinds[kind];
  if (cost === undefined) return UNKNOWN;
  const { seconds, hostBytes, deviceBytes } = cost;
  const device = isSoftware ? deviceBytes : 0;
  return { seconds, memoryBytes: hostBytes === null || device === null ? null : hostBytes + device };
}
