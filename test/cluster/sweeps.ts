/** Sweeps on a cluster of this machine, and what is looked at of them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Job, type JobGraph, jobInWords } from '../../src/pipeline/sweep/graph.js';
import type { SweepStatus } from '../../src/pipeline/sweep/status.js';
import { folderContents, TIMED_FILES } from '../support/folderContents.js';
import { type Cluster, until } from './cluster.js';
import { answer, type Hypergrad } from './commandLine.js';

/** The graph of a sweep's folder. */
export const graphOf = (sweep: string): JobGraph =>
  JSON.parse(readFileSync(join(sweep, 'sweep.json'), 'utf8')) as JobGraph;

/** A sweep's job by its name in words, such as `expert 001`: the first of them. */
export function jobCalled(sweep: string, words: string): Job {
  const job = graphOf(sweep).jobs.find((each) => jobInWords(each) === words);
  if (job === undefined) throw new Error(`${sweep} has no job ${words}.`);
  return job;
}

/** Names of the jobs whose results are there. */
export const doneIn = (sweep: string): string[] => readdirSync(join(sweep, 'jobs'));

export const isWhole = (sweep: string): boolean => doneIn(sweep).length === graphOf(sweep).jobs.length;

/** What `hypergrad status --json` says; it exits with 1 where a job has failed. */
export async function statusOf(hypergrad: Hypergrad, sweep: string): Promise<SweepStatus> {
  const { stdout } = await hypergrad('status', sweep, '--json');
  return JSON.parse(stdout) as SweepStatus;
}

/** What a job's row of `hypergrad status` says. */
export async function jobStatus(
  hypergrad: Hypergrad,
  sweep: string,
  hash: string,
): Promise<SweepStatus['jobs'][number]> {
  return (await statusOf(hypergrad, sweep)).jobs.find(({ job }) => job.hash === hash)!;
}

/** Submits what is missing of a sweep; how many tasks that were. */
export async function submit(
  hypergrad: Hypergrad,
  file: string,
  sweep: string,
  ...options: readonly string[]
): Promise<number> {
  const { arrays } = await answer<{ readonly arrays: readonly { readonly tasks: number }[] }>(
    hypergrad('sweep', file, '--out', sweep, '--slurm', '--no-estimate', '--quiet', '--json', ...options),
  );
  return arrays.reduce((total, { tasks }) => total + tasks, 0);
}

/** The states of all tasks that the cluster knows, by their ids. */
export async function taskStates(cluster: Cluster): Promise<Map<string, string>> {
  const lines = await cluster.ask('squeue', ['--array', '--noheader', '--states=all', '--format=%i %T']);
  return new Map(
    lines
      .trim()
      .split('\n')
      .filter(Boolean)
      .map((line) => line.trim().split(' ') as [string, string]),
  );
}

const OVER = /^(COMPLETED|FAILED|CANCELLED|TIMEOUT|NODE_FAIL|OUT_OF_MEMORY|BOOT_FAIL)$/;

/** Whether the cluster has nothing more to do. */
export const isIdle = async (cluster: Cluster): Promise<boolean> =>
  [...(await taskStates(cluster)).values()].every((state) => OVER.test(state));

/** Waits until the cluster has nothing more to do. */
export const untilIdle = (cluster: Cluster, seconds: number): Promise<void> =>
  until(
    'The cluster is idle',
    async () => {
      await cluster.hasten();
      return await isIdle(cluster);
    },
    { seconds },
  );

/** Everything that a sweep made, by file, measured seconds aside: its runs, and the results of its jobs. */
export function artefactsOf(sweep: string): Record<string, string> {
  const timed: readonly string[] = TIMED_FILES;
  const all: Record<string, string> = {};
  for (const part of ['runs', 'jobs']) {
    for (const [name, hash] of Object.entries(folderContents(join(sweep, part), true))) {
      const file = name.slice(name.indexOf('/') + 1);
      if (!timed.includes(file) && file !== 'job.json') all[`${part}/${name}`] = hash;
    }
  }
  return all;
}

/** Seconds that a job took to compute; of all jobs without a name. */
export function secondsOf(sweep: string, hash?: string): number {
  const secondsIn = (name: string): number =>
    JSON.parse(readFileSync(join(sweep, 'jobs', name, 'job.json'), 'utf8')).seconds as number;
  return hash === undefined
    ? doneIn(sweep).reduce((total, name) => total + secondsIn(name), 0)
    : secondsIn(hash);
}

/** How often each job was done, by its log. */
export function timesDone(sweep: string): Map<string, number> {
  const logs = join(sweep, 'logs');
  return new Map(
    readdirSync(logs).map((name) => [
      name.replace(/\.log$/, ''),
      readFileSync(join(logs, name), 'utf8').match(/: Done in /g)?.length ?? 0,
    ]),
  );
}
