/**
 * Where things lie in a sweep's folder, which all workers share, on one machine or on many:
 *
 *     sweep.json          the graph: all jobs and members
 *     configs/NAME.yaml   each member's configuration
 *     jobs/HASH/          what a finished job made; the folder appears at once, by a rename
 *     work/HASH.N/        a job at work, for its N-th owner alone
 *     claims/HASH/        who works on a job, and shows life
 *     logs/HASH.log       what its tries said
 *     runs/NAME/          each finished member, as `hypergrad run` would have left it
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { z } from 'zod';
import { ConfigError, StoreError } from '../../errors.js';
import { resolveConfig } from '../config/resolve.js';
import type { Config } from '../config/schema.js';
import { fileLimits, readBounded, readingFault } from '../store/boundedFile.js';
import { plainDisk } from '../store/disk.js';
import { exists } from '../store/exists.js';
import { readingFailure } from '../store/failures.js';
import { requireVersion, versionOf } from '../store/formatVersion.js';
import { shown } from '../store/shownText.js';
import { GRAPH_VERSION, JOB_NAME, type Job, type JobGraph, jobInWords, jobKinds } from './graph.js';
import type { PlannedRun } from './members.js';

/** The graph's file. */
export const SWEEP = 'sweep.json';
/** A finished job's record in its folder. */
export const JOB_RECORD = 'job.json';

const jobHash = z.string().regex(JOB_NAME);
const memberName = z.string().regex(/^[\w][\w.=,+-]{0,199}$/);

const graphSchema = z.object({
  version: z.literal(GRAPH_VERSION),
  jobs: z.array(
    z.object({
      hash: jobHash,
      kind: z.enum(jobKinds),
      part: z
        .string()
        .regex(/^[\w-]+$/)
        .exactOptional(),
      after: z.array(jobHash),
      member: memberName,
    }),
  ),
  members: z.array(
    z.object({
      name: memberName,
      values: z.record(z.string(), z.json()),
      seed: z.number(),
      data: z.string().nullable(),
      given: z.string().nullable(),
      jobs: z.array(jobHash),
    }),
  ),
});

/** Paths within a sweep's folder. */
export const pathsOf = (sweep: string) => ({
  graph: join(sweep, SWEEP),
  config: (member: string) => join(sweep, 'configs', `${member}.yaml`),
  jobs: join(sweep, 'jobs'),
  job: (hash: string) => join(sweep, 'jobs', hash),
  record: (hash: string) => join(sweep, 'jobs', hash, JOB_RECORD),
  work: join(sweep, 'work'),
  claims: (hash: string) => join(sweep, 'claims', hash),
  log: (hash: string) => join(sweep, 'logs', `${hash}.log`),
  runs: join(sweep, 'runs'),
  run: (member: string) => join(sweep, 'runs', member),
});

/** Writes configurations as YAML, a group that several share once: those of a sweep differ in a value or two. */
function configWriter(): (config: Config) => string {
  const written = new Map<string, string>();
  return (config) =>
    Object.entries(config)
      .map(([name, group]: [string, unknown]) => {
        const key = JSON.stringify([name, group]);
        const text = written.get(key) ?? stringify({ [name]: group });
        written.set(key, text);
        return text;
      })
      .join('');
}

/**
 * Writes the graph and the members' configurations, which is all that a worker needs. What an earlier sweep left in the folder stays,
 * and counts where its jobs are those of this one. Throws `StoreError`.
 */
export async function writeSweep(sweep: string, graph: JobGraph, runs: readonly PlannedRun[]): Promise<void> {
  const paths = pathsOf(sweep);
  await plainDisk.makeFolder(paths.jobs);
  const yamlOf = configWriter();
  for (const { name, config } of runs) {
    await plainDisk.writeWhole(paths.config(name), yamlOf(config), { isFlushed: false });
  }
  await plainDisk.writeWhole(paths.graph, `${JSON.stringify(graph)}\n`);
}

/** Throws where a job reads one that does not stand before it, or a member has one that is not there. */
function requireOrder({ jobs, members }: JobGraph): void {
  const known = new Set<string>();
  for (const { hash, after } of jobs) {
    if (known.has(hash) || !after.every((before) => known.has(before))) throw new Error(`job ${hash}`);
    known.add(hash);
  }
  const names = new Set(members.map(({ name }) => name));
  if (!jobs.every(({ member }) => names.has(member))) throw new Error('a job of no run');
  if (!members.every((member) => member.jobs.every((hash) => known.has(hash)))) {
    throw new Error('a run with a job that is not there');
  }
}

/** The graph of a sweep's folder. Throws `StoreError` where there is none, or it is damaged or of a newer version. */
export async function readGraph(sweep: string): Promise<JobGraph> {
  const path = pathsOf(sweep).graph;
  let text: string;
  try {
    text = new TextDecoder().decode(await readBounded(path, fileLimits.data));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw readingFailure(path, cause, 'Make it readable.');
    throw new StoreError(
      `${path} ${readingFault(cause)}: ${sweep} is not the folder of a sweep. Name one that \`hypergrad sweep\` made.`,
      { cause },
    );
  }
  try {
    const json: unknown = JSON.parse(text);
    requireVersion(path, versionOf(json), GRAPH_VERSION);
    const graph = graphSchema.parse(json);
    requireOrder(graph);
    return graph;
  } catch (cause) {
    if (cause instanceof StoreError) throw cause;
    throw new StoreError(`${path} is damaged. Give the command of the sweep again: finished jobs are kept.`, {
      cause,
    });
  }
}

/** The configuration that a job is run with. Throws `StoreError` where it is missing, `ConfigError` where it does not fit. */
export async function readJobConfig(sweep: string, { member }: Pick<Job, 'member'>): Promise<Config> {
  const file = pathsOf(sweep).config(member);
  if (!(await exists(file))) {
    throw new StoreError(`${file} does not exist. Give the command of the sweep again: it writes it anew.`);
  }
  return resolveConfig({ file, sets: [] });
}

/**
 * The job of a graph that a name means: its hash, the beginning of that, or what it does, such as `expert-007`. Throws `ConfigError`
 * where it means none or several.
 */
export function findJob({ jobs }: Pick<JobGraph, 'jobs'>, name: string): Job {
  const isMeant = (job: Job): boolean =>
    job.hash.startsWith(name.toLowerCase()) || jobInWords(job).replace(' ', '-') === name;
  const found = name === '' ? [] : jobs.filter(isMeant);
  if (found.length === 1) return found[0]!;
  throw new ConfigError(
    found.length === 0
      ? `The sweep has no job ${JSON.stringify(shown(name))}. \`hypergrad status FOLDER --json\` lists all.`
      : `${JSON.stringify(name)} means ${found.length} jobs of the sweep. Give more of the hash of one: \`hypergrad status FOLDER --json\` lists all.`,
  );
}

/** Names of the jobs of a graph of which a sweep's folder has the results. */
export async function finishedJobs(sweep: string, { jobs }: Pick<JobGraph, 'jobs'>): Promise<Set<string>> {
  const there = new Set(await readdir(pathsOf(sweep).jobs).catch(() => []));
  return new Set(jobs.map(({ hash }) => hash).filter((hash) => there.has(hash)));
}
