/**
 * What stands for a run's data in the names of its jobs: the hash of its images and labels, as in a run's manifest. To draw and hash
 * them takes seconds, so what was found is kept in the cache folder, by the files' sizes and times; a job that runs hashes what it
 * read itself, and refuses other data than it was named by.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { version } from '../../../package.json';
import { DataError } from '../../errors.js';
import { cacheFolder } from '../../gpu/node/cacheFolder.js';
import { requireFit } from '../config/rules.js';
import type { Config } from '../config/schema.js';
import { datasetLoader } from '../data/loader.js';
import { mnistPackageFolder } from '../data/mnist.js';
import { identifyData } from '../session.js';
import { hashGivenTargets, readGivenTargets } from '../stages/givenTargets.js';
import { plainDisk } from '../store/disk.js';
import { hashInputs } from '../store/manifest.js';
import type { DataIdentity } from './jobs.js';
import type { PlannedRun } from './members.js';

/** Of the file's format. */
const VERSION = 1;

/** Files whose sizes and times are looked at; beyond, nothing is kept. */
const MOST_FILES = 500_000;
/** Milliseconds for which a file may still change within one tick of the clock that its time is taken from. */
const SETTLED = 2000;

/** What tells a folder's content from a later one; null where it cannot be told. */
async function signatureOf(folder: string): Promise<string | null> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  if (entries.length === 0 || entries.length > MOST_FILES) return null;
  const facts: string[] = [];
  let latest = 0;
  for (const entry of entries) {
    if (entry.isDirectory()) continue;
    const path = join(entry.parentPath, entry.name);
    const found = await stat(path).catch(() => null);
    if (found === null) return null;
    latest = Math.max(latest, found.mtimeMs);
    facts.push(`${path}:${found.size}:${found.mtimeMs}:${found.ino}`);
  }
  return Date.now() - latest < SETTLED ? null : hashInputs(facts.sort());
}

/** Where the hash of a run's data is kept; null where it cannot be. */
async function keptAt({ data, seed }: Pick<Config, 'data' | 'seed'>): Promise<string | null> {
  const { memory: _, ...reads } = data;
  const signature = await signatureOf(data.folder ?? mnistPackageFolder());
  if (signature === null) return null;
  // Another version of hypergrad may draw, pool or standardise otherwise.
  const key = hashInputs({ hypergrad: version, version: VERSION, data: reads, seed, signature });
  return join(cacheFolder(), 'data', `${key}.txt`);
}

const factsSchema = z.object({
  version: z.literal(VERSION),
  data: z.string().regex(/^[0-9a-f]{64}$/),
  /** Shape of the images [C, H, W], and how many there are for training. */
  image: z.tuple([z.number(), z.number(), z.number()]),
  train: z.number(),
});

/** What is known of data. */
type DataFacts = z.infer<typeof factsSchema>;

async function readKept(path: string): Promise<DataFacts | null> {
  try {
    return factsSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return null;
  }
}

/** What is known of the data of one run, and of its given representations. Throws `DataError` where they cannot be read. */
async function learn(
  config: Config,
  load: ReturnType<typeof datasetLoader>,
): Promise<{ readonly facts: DataFacts; readonly given: string | null }> {
  const path = await keptAt(config);
  const kept = path === null ? null : await readKept(path);
  // Representations are checked against the images that were drawn.
  if (kept !== null && config.targets.from === null) return { facts: kept, given: null };
  const dataset = await load(config.data, config.seed);
  try {
    if (config.targets.from !== null) await readGivenTargets(config, dataset);
    const { data, given = null } = await identifyData({ config, dataset });
    const [channels, height, width] = dataset.image;
    const facts: DataFacts = {
      ...{ version: VERSION, data, image: [channels, height, width], train: dataset.train.count },
    };
    if (path !== null) {
      await plainDisk.writeWhole(path, JSON.stringify(facts), { isFlushed: false }).catch(() => undefined);
    }
    return { facts, given };
  } finally {
    dataset.close();
  }
}

/**
 * The identities of the data of runs, each read once however many share it.
 *
 * @param whenMissing told of data that cannot be read, which is then null; without it `DataError` is thrown
 * @throws ConfigError where data and configuration do not fit.
 */
export async function identifyRuns(
  runs: readonly PlannedRun[],
  whenMissing?: (error: DataError) => void,
): Promise<(run: PlannedRun) => DataIdentity> {
  const known = new Map<string, DataIdentity & { readonly facts: DataFacts | null }>();
  const load = datasetLoader();
  const keyOf = ({ config: { data, seed, targets } }: PlannedRun): string =>
    JSON.stringify([data, seed, targets.from]);
  for (const run of runs) {
    const key = keyOf(run);
    if (!known.has(key)) {
      try {
        const { facts, given } = await learn(run.config, load);
        known.set(key, { data: facts.data, given, facts });
      } catch (error) {
        if (whenMissing === undefined || !(error instanceof DataError)) throw error;
        whenMissing(error);
        const given = (await hashGivenTargets(run.config.targets).catch(() => undefined)) ?? null;
        known.set(key, { data: null, given, facts: null });
      }
    }
    const { facts } = known.get(key)!;
    if (facts !== null) requireFit(run.config, { image: facts.image, train: { count: facts.train } });
  }
  return (run) => {
    const { data, given } = known.get(keyOf(run))!;
    return { data, given };
  };
}
