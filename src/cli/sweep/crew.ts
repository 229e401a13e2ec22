/** Those who do a sweep's jobs on this machine: this process alone, or processes of their own. */
import { availableParallelism } from 'node:os';
import type { Config } from '../../pipeline/config/schema.js';
import { silentProgress } from '../../pipeline/progress.js';
import type { Job, JobGraph } from '../../pipeline/sweep/graph.js';
import { type JobOutcome, runJob } from '../../pipeline/sweep/runJob.js';
import { deviceOf } from '../asked.js';
import type { Voice } from '../voice.js';
import { openPool, type WorkerFlags } from './pool.js';
import { openWorker, type SeenDevice } from './worker.js';

export interface Crew {
  /** Has so many workers start, and open their devices, while other things are done. */
  start(workers: number): void;
  /** What the device is, once every configuration is known to fit it. */
  look(configs: readonly Config[]): Promise<SeenDevice>;
  /** How many jobs it does at a time, where so many workers are asked for and the device is this one. */
  workersOn(device: SeenDevice, asked?: number): number;
  execute(graph: JobGraph, job: Job): Promise<JobOutcome>;
  /** Has all jobs end after their steps, kept. */
  stop(): void;
  /** Ends the workers; may be called again. */
  close(): Promise<void>;
}

export interface CrewOptions {
  /** The sweep's folder, which need not be there before the first job. */
  readonly sweep: string;
  readonly flags: WorkerFlags;
  readonly voice: Voice;
}

function soleWorker({ sweep, flags, voice }: CrewOptions): Crew {
  const stopping = new AbortController();
  const { signal } = stopping;
  const worker = openWorker(deviceOf(flags), signal);
  let isOpen = true;
  return {
    start() {},
    look: (configs) => worker.look(configs),
    workersOn: () => 1,
    execute: (graph, job) =>
      runJob(job, { sweep, graph, worker, progress: silentProgress, signal, say: voice.step }),
    stop: () => stopping.abort(),
    async close() {
      if (isOpen) worker.close();
      isOpen = false;
    },
  };
}

/** Processes that suit a device: a GPU is one, a software device is this machine's cores. */
const suited = ({ kind }: SeenDevice): number => (kind === 'software' ? availableParallelism() : 1);

function manyWorkers(script: string, { sweep, flags }: CrewOptions): Crew {
  const pool = openPool({ script, sweep, flags });
  let closed: Promise<void> | undefined;
  return {
    start: (workers) => pool.start(workers),
    look: (configs) => pool.look(configs),
    workersOn: (device, asked = suited(device)) => asked,
    execute: (_, { hash }) => pool.execute(hash),
    stop: () => pool.stop(),
    close() {
      closed ??= pool.close();
      return closed;
    },
  };
}

/** @param script the command line's own, by which processes are started; null where jobs run in this process */
export const openCrew = (script: string | null, options: CrewOptions): Crew =>
  script === null ? soleWorker(options) : manyWorkers(script, options);
