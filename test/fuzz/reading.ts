/** Reading as commands do, for readers that want more than one call. */
import { join } from 'node:path';
import { DataError } from '../../src/errors.js';
import { checkRun } from '../../src/pipeline/check/checkRun.js';
import { openCheckpoints } from '../../src/pipeline/checkpoints.js';
import { configSchema } from '../../src/pipeline/config/schema.js';
import { loadDataset } from '../../src/pipeline/data/dataset.js';
import { keeperOf } from '../../src/pipeline/evaluate/keeper.js';
import { readTimings } from '../../src/pipeline/session.js';
import { readGivenTargets } from '../../src/pipeline/stages/givenTargets.js';
import { EVENTS, EventLog } from '../../src/pipeline/store/events.js';
import { RunFolder } from '../../src/pipeline/store/runFolder.js';
import { seedlessKey } from '../../src/pipeline/sweep/members.js';
import { needsOf, sweepCosts } from '../../src/pipeline/sweep/slurm/costs.js';
import { RunWatcher } from '../../src/pipeline/watch/snapshot.js';
import { dataOf } from '../support/imageFiles.js';

/** Reads all of a data set. */
export async function loadAll(source: Parameters<typeof dataOf>[0], folder: string): Promise<void> {
  const dataset = await loadDataset(dataOf(source, folder), 1);
  try {
    await dataset.train.rows(Int32Array.of(0));
  } finally {
    dataset.close();
  }
}

/** Holds that a run's folder is whole, and that it is told as it should be where it is not. */
export async function requireWhole(folder: string): Promise<void> {
  const flaw = (await checkRun(folder)).findings.find(({ kind }) => kind === 'flaw');
  if (flaw !== undefined) throw new DataError(`${flaw.what} ${flaw.means} ${flaw.mends}`);
}

export const CHECKPOINT_INPUTS = '0'.repeat(64);

/** Opens the checkpoint of an evaluation, and goes on from it, with the seconds that were measured before. */
export async function resume(folder: string): Promise<void> {
  const opened = await RunFolder.open(folder);
  try {
    const events = new EventLog(join(folder, EVENTS), opened.disk);
    const options = { folder: opened, events, stage: 'evaluate', inputs: CHECKPOINT_INPUTS } as const;
    const checkpoints = await openCheckpoints(options);
    if (checkpoints.resumed === null) throw new DataError('The checkpoint does not count.');
    const { results, pretraining } = keeperOf(checkpoints);
    pretraining(results);
    await readTimings(opened);
  } finally {
    await opened.close();
  }
}

const config = configSchema.parse({});

/** Reads representations for three training images and two test images. */
export const readGiven = (from: string | [train: string, test: string]): Promise<unknown> => {
  const origin = (part: 'train' | 'test', count: number) => ({
    origin: { part, count, numbers: Int32Array.from({ length: count }, (_, k) => k) },
  });
  return readGivenTargets(
    { ...config, targets: { from }, teacher: { ...config.teacher, representation: 2 } },
    { name: 'mnist', train: origin('train', 3), test: origin('test', 2) },
  );
};

/** Names the configuration whose costs are kept. */
export const COSTS_OF = seedlessKey({ config });

/** Reads what a sweep's jobs take, which would be measured where it cannot be read. */
export async function readCosts(folder: string): Promise<void> {
  const setting = { name: 'a', values: {}, seed: 1, config };
  const found = await sweepCosts(folder, [setting], async () => {
    throw new DataError('The costs cannot be read.');
  });
  needsOf(found, { member: 'a', kind: 'teacher' });
}

/** Looks at a run as it is, and once more. */
export async function lookTwice(folder: string): Promise<void> {
  const watcher = await RunWatcher.open(folder);
  await watcher.look();
  await watcher.look();
}
