/**
 * The processes that run a sweep's jobs on this machine, each with a device of its own that serves many jobs. Every process is the
 * command line itself, started with the hidden command `work`, which answers the pool.
 */
import workerpool from 'workerpool';
import { DeviceError, EXIT_CODES, HypergradError, InterruptedError } from '../../errors.js';
import type { Config } from '../../pipeline/config/schema.js';
import { silentProgress } from '../../pipeline/progress.js';
import type { JobGraph } from '../../pipeline/sweep/graph.js';
import { type JobOutcome, runJob } from '../../pipeline/sweep/runJob.js';
import { findJob, readGraph } from '../../pipeline/sweep/sweepFolder.js';
import { type DeviceFlags, deviceOf } from '../asked.js';
import { voiceOf } from '../voice.js';
import { openWorker, type SeenDevice } from './worker.js';

/** What every process is given of the command's own options. */
export interface WorkerFlags extends DeviceFlags {
  readonly quiet?: boolean;
}

/** What a process tells while it has a job. */
interface JobMessage {
  readonly process: number;
}

/** Milliseconds that a process has to close its device when the pool ends. */
const CLOSING_TIME = 5000;

export interface JobPool {
  /** Starts so many processes, each of which opens its device; what goes wrong is thrown by `look`. */
  start(processes: number): void;
  /**
   * What the device of a process is, once jobs of these configurations are known to fit it: the processes that were started share
   * them among each other. Throws as `OpenWorker.look`.
   */
  look(configs: readonly Config[]): Promise<SeenDevice>;
  /** Runs a job in one of the processes. Rejects with `InterruptedError` where it was stopped. */
  execute(hash: string): Promise<JobOutcome>;
  /** Has all jobs end after their steps, kept; also those whose processes are still starting. */
  stop(): void;
  /** Ends the processes. */
  close(): Promise<void>;
}

export interface PoolOptions {
  /** The command line's own script. */
  readonly script: string;
  /** The sweep's folder. */
  readonly sweep: string;
  readonly flags: WorkerFlags;
}

/** Whether an error says that a process ended without an answer. */
const isDeath = (error: unknown): boolean =>
  /terminated unexpectedly/i.test((error as { message?: string }).message ?? '');

/** An error as the process that it comes from threw it, as far as it went through the pool. */
function errorOf(error: unknown): Error {
  const { message = String(error), exitCode } = error as { message?: string; exitCode?: number };
  if (exitCode === EXIT_CODES.interrupted) return new InterruptedError(message, { cause: error });
  if (exitCode !== undefined) {
    return Object.assign(new HypergradError(message, { cause: error }), { exitCode });
  }
  if (isDeath(error)) {
    return new DeviceError(
      'The process of the job was killed, or ended by itself: often for want of memory, sometimes by the driver of the device. Its log says how far it was; with fewer --workers each has more memory. The same command goes on from what was kept.',
      { cause: error },
    );
  }
  return error instanceof Error ? error : new Error(message);
}

/** More processes than anybody has: how many jobs are given out at a time is the caller's to decide. */
const MOST_PROCESSES = 1024;

/** Starts no process yet: each is started with the first job that finds all others at work. */
export function openPool({ script, sweep, flags: { device, quiet = false } }: PoolOptions): JobPool {
  const pool = workerpool.pool(script, {
    workerType: 'process',
    minWorkers: 0,
    maxWorkers: MOST_PROCESSES,
    forkArgs: [
      ...['work', sweep],
      ...(device === undefined ? [] : ['--device', device]),
      ...(quiet ? ['--quiet'] : []),
    ],
    forkOpts: { execArgv: [] },
    workerTerminateTimeout: CLOSING_TIME,
  });
  /** Processes that have a job, by the job. */
  const busy = new Map<string, number>();
  let isStopped = false;
  let started: ReturnType<typeof pool.exec>[] = [];
  const interrupt = (child: number): void => {
    try {
      process.kill(child, 'SIGINT');
    } catch {
      // It has ended by itself.
    }
  };
  /** A process that still starts listens to no signal yet: the terminal's own has ended it, as was asked. */
  const isStoppedEarly = (error: unknown): boolean => isStopped && isDeath(error);
  return {
    start(processes) {
      started = Array.from({ length: processes }, () => pool.exec('look', [[]]));
      for (const each of started) each.catch(() => undefined);
    },
    async look(configs) {
      try {
        await Promise.all(started);
        const shares = started.map((_, k) => configs.filter((_, place) => place % started.length === k));
        const [seen] = await Promise.all(shares.map((share) => pool.exec('look', [share])));
        return seen as SeenDevice;
      } catch (error) {
        if (isStoppedEarly(error)) throw new InterruptedError('Stopped, as asked.', { cause: error });
        throw errorOf(error);
      }
    },
    async execute(hash) {
      const on = ({ process: child }: JobMessage): void => {
        busy.set(hash, child);
        // It was asked for while the process was still starting, which had nobody to ask.
        if (isStopped) interrupt(child);
      };
      try {
        return (await pool.exec('job', [hash], { on })) as JobOutcome;
      } catch (error) {
        if (isStoppedEarly(error) && !busy.has(hash)) {
          throw new InterruptedError('Stopped before it had begun, as asked.', { cause: error });
        }
        throw errorOf(error);
      } finally {
        busy.delete(hash);
      }
    },
    stop() {
      isStopped = true;
      for (const child of busy.values()) interrupt(child);
    },
    async close() {
      await pool.terminate();
    },
  };
}

/** Answers the pool in one of its processes, until that ends it. */
export function serveJobs(sweep: string, flags: WorkerFlags): void {
  // Whoever started this process may be gone before it listens; nobody hears an answer then.
  const leave = (): never => process.exit(EXIT_CODES.interrupted);
  process.on('error', leave);
  if (!process.connected) leave();
  const stopping = new AbortController();
  // A terminal sends the signal to every process of the command, and the pool sends it too: both mean the same.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopping.abort());
  const worker = openWorker(deviceOf(flags), stopping.signal);
  const { step: say } = voiceOf(flags);
  let graph: JobGraph | null = null;
  /** What jobs have left to do while the next ones compute; of a run that could not be left, the sweep finds out at its end. */
  const windingUp = new Set<Promise<void>>();
  const later = (rest: Promise<void>): void => {
    const ended = rest.catch(() => undefined).finally(() => windingUp.delete(ended));
    windingUp.add(ended);
  };
  const job = async (hash: string): Promise<JobOutcome> => {
    workerpool.workerEmit({ process: process.pid } satisfies JobMessage);
    graph ??= await readGraph(sweep);
    return await runJob(findJob(graph, hash), {
      ...{ sweep, graph, worker, progress: silentProgress, signal: stopping.signal, say, later },
    });
  };
  const look = (configs: readonly Config[]): Promise<SeenDevice> => worker.look(configs);
  workerpool.worker(
    { job, look },
    {
      onTerminate: async () => {
        await Promise.all(windingUp);
        worker.close();
      },
    },
  );
}
