/**
 * What a running process leaves in its run's folder for those who watch it: how far each stage is, and how the run ended. It is no
 * artefact: a finished run removes it, nothing reads it to go on, and where it cannot be written the run goes on without.
 */
import { access, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { HypergradError, messageOf } from '../../errors.js';
import type { Progress } from '../progress.js';
import { fileLimits, readBounded } from '../store/boundedFile.js';
import { plainDisk } from '../store/disk.js';

/** The file's name in the folder. */
export const TRAIL = '.progress.json';

/** Milliseconds between two writes, beginnings and ends of stages aside. */
const INTERVAL = 1000;

const trailSchema = z.object({
  version: z.literal(1),
  /** The process that runs; for people alone. */
  process: z.number().int(),
  /** The command that goes on with the run. */
  command: z.string(),
  /** Shape of the images [C, H, W]. */
  image: z.tuple([z.number().int().min(1), z.number().int().min(1), z.number().int().min(1)]),
  /** When it was last written, as an ISO date; for people alone. */
  updated: z.string(),
  /** The stages that have begun, in order. */
  stages: z.array(
    z.object({
      name: z.string(),
      state: z.enum(['running', 'done', 'skipped']),
      total: z.number().min(0),
      unit: z.string(),
      done: z.number().min(0),
      loss: z.number().nullable(),
      /** Steps a second since the first one; null before the second. */
      perSecond: z.number().min(0).nullable(),
      /** Seconds that the whole stage took; null while it runs. For people alone. */
      seconds: z.number().min(0).nullable(),
    }),
  ),
  /** How the process ended; null while it works, and for ever where it was killed. */
  ended: z.object({ exitCode: z.number().int(), message: z.string() }).nullable(),
});

/** How far a process is. */
export type Trail = z.infer<typeof trailSchema>;
type TrailStage = Trail['stages'][number];

/** What a trail says from its beginning. */
export interface TrailFacts {
  readonly command: Trail['command'];
  readonly image: Readonly<Trail['image']>;
}

/** A listener that leaves a trail. */
export interface TrailWriter extends Progress {
  /** Tells the end: with an error its message and exit code stay, without one the trail is removed. Never rejects. */
  end(error?: unknown): Promise<void>;
}

/** Leaves a trail in a folder whose lock is held. `now` is in milliseconds. */
export function leaveTrail(
  folder: string,
  facts: TrailFacts,
  now: () => number = () => performance.now(),
): TrailWriter {
  const path = join(folder, TRAIL);
  const stages = new Map<string, TrailStage>();
  /** Of the running stage: when its first step was done, and how many were by then. */
  let first: { readonly time: number; readonly done: number } | undefined;
  let written = Number.NEGATIVE_INFINITY;
  /** Every write waits for the one before; none fails. */
  let queue: Promise<void> = Promise.resolve();
  let isEnded = false;

  const write = (ended: Trail['ended'] = null): void => {
    written = now();
    const trail: Trail = {
      version: 1,
      process: process.pid,
      command: facts.command,
      image: [...facts.image],
      updated: new Date().toISOString(),
      stages: [...stages.values()],
      ended,
    };
    const text = `${JSON.stringify(trail)}\n`;
    queue = queue
      // A folder that has gone is not made anew.
      .then(() => access(folder))
      .then(() => plainDisk.writeWhole(path, text, { isFlushed: false }))
      .catch(() => undefined);
  };
  const update = (name: string, fields: Partial<TrailStage>): void => {
    const known = stages.get(name);
    if (known !== undefined) stages.set(name, { ...known, ...fields });
  };
  const finite = (value: number | undefined): number | null =>
    value !== undefined && Number.isFinite(value) ? value : null;

  // In place of what an earlier process left.
  write();
  return {
    started(stage, total, unit) {
      first = undefined;
      // Anew at the end, where it is begun again.
      stages.delete(stage);
      const begun = { done: 0, loss: null, perSecond: null, seconds: null };
      stages.set(stage, { name: stage, state: 'running', total, unit, ...begun });
      write();
    },
    advanced(stage, done, loss) {
      const time = now();
      first ??= { time, done };
      const perSecond =
        done > first.done && time > first.time ? (1000 * (done - first.done)) / (time - first.time) : null;
      update(stage, { done, perSecond, ...(loss === undefined ? {} : { loss: finite(loss) }) });
      if (time - written >= INTERVAL) write();
    },
    finished(stage, seconds) {
      const total = stages.get(stage)?.total ?? 0;
      update(stage, { state: 'done', done: total, seconds });
      write();
    },
    skipped(stage) {
      const nothing = { total: 0, unit: '', done: 0, loss: null, perSecond: null, seconds: null };
      stages.set(stage, { name: stage, state: 'skipped', ...nothing });
      write();
    },
    async end(error) {
      if (isEnded) return;
      isEnded = true;
      if (error === undefined) queue = queue.then(() => rm(path, { force: true })).catch(() => undefined);
      else {
        write({
          exitCode: error instanceof HypergradError ? error.exitCode : 1,
          message: messageOf(error),
        });
      }
      await queue;
    },
  };
}

/** The trail in a folder; null where there is none that can be read. */
export async function readTrail(folder: string): Promise<Trail | null> {
  try {
    const bytes = await readBounded(join(folder, TRAIL), fileLimits.record);
    return trailSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return null;
  }
}
