/**
 * The folder that a job works in, and what becomes of it: results of the jobs before it are laid in by hard links, and its own are
 * linked into a folder that gets its final name by one rename. So a result is there whole or not at all, whoever looks and whenever.
 */
import { copyFile, link, mkdir, readdir, rename } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { z } from 'zod';
import { StoreError } from '../../errors.js';
import { mapBounded } from '../data/mapBounded.js';
import { runDeviceSchema } from '../report/runDevice.js';
import { readTimings } from '../session.js';
import { fileLimits, readBounded } from '../store/boundedFile.js';
import { plainDisk } from '../store/disk.js';
import { EVENTS } from '../store/events.js';
import { exists } from '../store/exists.js';
import { readingFailure, writingFailure } from '../store/failures.js';
import { TIMINGS } from '../store/fileNames.js';
import { nodeFileSystem } from '../store/fileSystem.js';
import { requireVersion, versionOf } from '../store/formatVersion.js';
import { isOfLock } from '../store/lockOwner.js';
import { decodeManifest, encodeManifest, MANIFEST, type StageRecord } from '../store/manifest.js';
import { isInside } from '../store/runFolder.js';
import { parseJson } from '../store/strictJson.js';
import { type Job, type JobKind, stageOfKind } from './graph.js';
import { JOB_RECORD, pathsOf } from './sweepFolder.js';

const RECORD_VERSION = 1;

const recordSchema = z.object({
  version: z.literal(RECORD_VERSION),
  hash: z.string(),
  kind: z.string(),
  /** The device that it was made on. */
  device: runDeviceSchema,
  /** Seconds from a worker's taking it to its result being written; waits for another worker and tries that were broken off aside. */
  seconds: z.number(),
  /** The machine that it was made on, and when by its clock; for people alone. */
  machine: z.string(),
  finished: z.string(),
});

/** What a finished job says of how it was made. */
export type JobRecord = z.infer<typeof recordSchema>;

/** A finished job. */
export interface JobResult {
  readonly job: Job;
  /** Its folder. */
  readonly path: string;
  readonly record: JobRecord;
  /** What its manifest says of the stages and parts that it made. */
  readonly stages: ReadonlyMap<string, StageRecord>;
}

/** The record of a finished job. Throws `StoreError` where there is none, or it is damaged. */
export async function readRecord(sweep: string, hash: string): Promise<JobRecord> {
  const path = pathsOf(sweep).record(hash);
  const text = await readText(path);
  try {
    const json = parseJson(text);
    requireVersion(path, versionOf(json), RECORD_VERSION);
    return recordSchema.parse(json);
  } catch (cause) {
    if (cause instanceof StoreError) throw cause;
    throw new StoreError(`${path} is damaged. Delete its folder, and run the job again.`, { cause });
  }
}

export async function readText(path: string, limit: number = fileLimits.record): Promise<string> {
  try {
    return new TextDecoder().decode(await readBounded(path, limit));
  } catch (error) {
    throw readingFailure(path, error, 'Run the job that makes it again.');
  }
}

/** What a finished job left. Throws `StoreError` where it is not finished, or damaged. */
export async function readResult(sweep: string, job: Job): Promise<JobResult> {
  const path = pathsOf(sweep).job(job.hash);
  const record = await readRecord(sweep, job.hash);
  const manifest = join(path, MANIFEST);
  return { job, path, record, stages: decodeManifest(await readText(manifest), manifest) };
}

/** The stages and parts that a job of a kind makes, out of what its folder's manifest has. */
function isOwn(kind: JobKind, name: string): boolean {
  const stage = stageOfKind[kind];
  if (kind === 'report') return true;
  if (kind === 'expert' || kind === 'evaluation') return name.startsWith(`${stage}/`);
  // The experts are gathered to one stage by the first job that reads them all.
  return name === stage || (kind === 'subset' && name === 'experts');
}

/** Of a share of an evaluation the report reads the numbers; the folder of a run has neither its file nor its name. */
const isLaidIn = ({ job }: JobResult): boolean => job.kind !== 'evaluation';

const UNLINKED = new Set(['EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EACCES']);

async function copy(from: string, to: string): Promise<void> {
  const beside = `${to}.1`;
  await copyFile(from, beside);
  await rename(beside, to);
}

/**
 * Puts a file in a second place: the same file where the file system can, else a copy. Events are always copied, for they alone are
 * changed in place: a run that goes on writes behind those that are there.
 */
async function place(from: string, to: string): Promise<void> {
  if (basename(from) === EVENTS) return await copy(from, to);
  try {
    await link(from, to);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (!UNLINKED.has(code)) throw error;
    await copy(from, to);
  }
}

/** Files that are linked or copied at a time. */
const MOST_AT_ONCE = 8;

/** Puts files, by their names in a folder, in a second one. Throws `StoreError`. */
export async function placeFiles(from: string, to: string, names: Iterable<string>): Promise<void> {
  const all = [...names];
  const strange = all.find((name) => !isInside(name));
  if (strange !== undefined) {
    throw new StoreError(`${from}: ${JSON.stringify(strange)} is no name for a file of a job.`);
  }
  for (const folder of new Set(all.map((name) => dirname(join(to, name))))) {
    await mkdir(folder, { recursive: true }).catch((error: unknown) => {
      throw writingFailure(folder, 'created', error);
    });
  }
  await mapBounded(all, MOST_AT_ONCE, async (name) => {
    await place(join(from, name), join(to, name)).catch((error: unknown) => {
      throw writingFailure(join(to, name), 'written', error);
    });
  });
}

const artefactsOf = (stages: ReadonlyMap<string, StageRecord>): string[] => [
  ...new Set([...stages.values()].flatMap(({ artefacts }) => Object.keys(artefacts))),
];

/**
 * Makes a run's folder that holds what jobs have made, as if their stages had run there. The manifest comes last: a folder that has
 * one is whole. Throws `StoreError`.
 */
export async function layIn(
  path: string,
  results: readonly JobResult[],
  { withEvents = false }: { readonly withEvents?: boolean } = {},
): Promise<void> {
  await plainDisk.makeFolder(path);
  const stages = new Map<string, StageRecord>();
  for (const result of results.filter(isLaidIn)) {
    await placeFiles(result.path, path, artefactsOf(result.stages));
    for (const [name, record] of result.stages) stages.set(name, record);
  }
  if (withEvents) {
    let events = '';
    const timings: Record<string, number> = {};
    for (const { path: from } of results) {
      // Not every stage tells events.
      if (await exists(join(from, EVENTS))) events += await readText(join(from, EVENTS), fileLimits.data);
      const seconds = await readTimings({
        exists: (name) => exists(join(from, name)),
        readBytes: (name) => readBounded(join(from, name), fileLimits.record),
      });
      for (const [name, each] of Object.entries(seconds)) timings[name] = (timings[name] ?? 0) + each;
    }
    await plainDisk.writeWhole(join(path, EVENTS), events);
    await plainDisk.writeWhole(join(path, TIMINGS), `${JSON.stringify(timings, null, 2)}\n`);
  }
  await plainDisk.writeWhole(join(path, MANIFEST), encodeManifest(stages));
}

/** Names of all files of a run's folder that are not of its lock. */
export async function filesOf(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(path, join(entry.parentPath, entry.name)))
    .filter((name) => !isOfLock(name));
}

/** Files of a result that has no place yet: its name is flushed last, and with it theirs. */
const IN_RESULT = { isNameFlushed: false };

/**
 * Gives what a job made its final place; false where another worker's result is there already, which then counts. A power cut may
 * take the place away again until `settle` has ended, and then the job is done anew.
 *
 * @param work the job's own folder; its run's folder is `run` in it, and closed
 * @param record what is said of how it was made; asked for once all else of the result is written
 */
export async function adopt(
  sweep: string,
  job: Job,
  { work, record }: { readonly work: string; readonly record: () => JobRecord },
): Promise<boolean> {
  const run = join(work, 'run');
  const stages = decodeManifest(await readText(join(run, MANIFEST)), join(run, MANIFEST));
  const result = join(work, 'result');
  await plainDisk.remove(result);
  await plainDisk.makeFolder(result);
  const own = new Map([...stages].filter(([name]) => isOwn(job.kind, name)));
  if (job.kind === 'report') await placeFiles(run, result, await filesOf(run));
  else {
    const beside = [EVENTS, TIMINGS];
    const there = new Set(await readdir(run));
    await placeFiles(run, result, [...artefactsOf(own), ...beside.filter((name) => there.has(name))]);
    await plainDisk.writeWhole(join(result, MANIFEST), encodeManifest(own), IN_RESULT);
  }
  const text = `${JSON.stringify(record(), null, 2)}\n`;
  await plainDisk.writeWhole(join(result, JOB_RECORD), text, IN_RESULT);
  const final = pathsOf(sweep).job(job.hash);
  try {
    await nodeFileSystem.rename(result, final);
    return true;
  } catch (error) {
    if (await exists(join(final, JOB_RECORD))) return false;
    throw writingFailure(final, 'written', error);
  }
}

/** Flushes the places of results. Throws `StoreError`. */
export async function settle(sweep: string): Promise<void> {
  const { jobs } = pathsOf(sweep);
  await nodeFileSystem.syncFolder(jobs).catch((error: unknown) => {
    throw writingFailure(jobs, 'written', error);
  });
}

/**
 * The folder for a claim's owner to work in: that of the claim before it where there is one, so that the work goes on from its
 * checkpoints, and which its former owner, should it live, finds gone.
 */
export async function takeWork(sweep: string, hash: string, claim: number): Promise<string> {
  const { work } = pathsOf(sweep);
  const path = join(work, `${hash}.${claim}`);
  await plainDisk.makeFolder(work);
  const earlier = (await readdir(work))
    .filter((name) => name.startsWith(`${hash}.`))
    .map((name) => Number(name.slice(hash.length + 1)))
    .filter((number) => number < claim)
    .sort((a, b) => b - a);
  for (const number of earlier) {
    try {
      await rename(join(work, `${hash}.${number}`), path);
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw writingFailure(path, 'written', error);
    }
  }
  const run = join(path, 'run');
  // The lock in it is of an owner that has lost the job.
  const left = (await readdir(run).catch(() => [])).filter(isOfLock);
  for (const name of left) await plainDisk.remove(join(run, name));
  await plainDisk.makeFolder(path);
  return path;
}
