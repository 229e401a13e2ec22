/** `hypergrad run --dry-run`: what a run would take, measured on the device, without starting it. */
import { statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Device } from '../gpu/device.js';
import { formatBytes } from '../gpu/formatBytes.js';
import type { Config } from '../pipeline/config/schema.js';
import type { Dataset } from '../pipeline/data/dataset.js';
import { type Estimate, estimateRun } from '../pipeline/estimate/estimate.js';
import { describeEstimate } from '../pipeline/estimate/text.js';
import { observe } from '../pipeline/plan/observe.js';
import { planRun } from '../pipeline/plan/plan.js';
import { describePlan } from '../pipeline/plan/words.js';
import type { StageName } from '../pipeline/progress.js';
import { identify } from '../pipeline/session.js';
import { viewFolder } from '../pipeline/store/runFolder.js';
import type { Voice } from './voice.js';

/** Bytes that are free where a folder lies or would be made; null where the system does not say. */
async function freeDisk(folder: string): Promise<number | null> {
  for (let path = resolve(folder); ; path = dirname(path)) {
    try {
      const { bavail, bsize } = await statfs(path);
      return bavail * bsize;
    } catch {
      if (path === dirname(path)) return null;
    }
  }
}

function diskSentence({ diskBytes }: Estimate, free: number | null, folder: string): string {
  if (free === null || diskBytes === null) return '';
  const sentence = `${formatBytes(free)} of disk are free for ${folder}`;
  return diskBytes <= free
    ? `${sentence}.`
    : `${sentence}, less than the ${formatBytes(diskBytes)} that the run writes. Choose another folder with --out.`;
}

/** Says which stages would run and what all of them take, in plain words, and as JSON where that is wanted. */
export async function printEstimate(
  device: Device,
  config: Config,
  dataset: Dataset,
  {
    folder,
    force,
    isJson,
    voice: { say, step },
  }: {
    /** Where the run would write. */
    readonly folder: string;
    readonly force: ReadonlySet<StageName>;
    readonly isJson: boolean;
    readonly voice: Voice;
  },
): Promise<void> {
  const state = await observe(await viewFolder(folder), config);
  const plan = planRun(state, { config, dataset, force, ...(await identify({ config, dataset, device })) });
  say(describePlan(plan).join('\n'));
  const estimate = await estimateRun(device, config, dataset, {
    progress: (what) => step(`estimating ${what}`),
  });
  const free = await freeDisk(folder);
  say(`\n${describeEstimate(estimate)}`);
  const disk = diskSentence(estimate, free, folder);
  if (disk !== '') say(disk);
  if (isJson) process.stdout.write(`${JSON.stringify({ ...estimate, freeDisk: free, plan }, null, 2)}\n`);
}
