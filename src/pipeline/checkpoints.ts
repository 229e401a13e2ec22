/**
 * A stage in its middle, so that a run that was broken off goes on from there and ends with the bits of one that was not. A
 * checkpoint is one file, written whole and named by what the stage reads; it goes when the stage is finished.
 */
import { z } from 'zod';
import { DataError, InterruptedError } from '../errors.js';
import type { StageName } from './progress.js';
import type { EventLog } from './store/events.js';
import type { RunFolder } from './store/runFolder.js';
import { decodeSafetensors, encodeSafetensors, type NamedTensor } from './store/safetensors.js';

/** Seconds of work between two checkpoints. Where they fall changes no bit of the result. */
const INTERVAL_SECONDS = 60;

/** What a stage needs to go on. */
export interface Captured {
  readonly tensors: ReadonlyMap<string, NamedTensor>;
  /** Plain values beside them, which JSON keeps exactly. */
  readonly state?: unknown;
}

/** A stage after some of its steps. */
export interface Checkpoint extends Captured {
  /** Steps that are done. */
  readonly done: number;
}

/** What a stage is given to keep checkpoints with. */
export interface Checkpoints {
  /** Where it stood when it was broken off; null where it begins. */
  readonly resumed: Checkpoint | null;
  /**
   * Tells that so many steps are done, all of their events taken. Now and then, and when the run is to stop, the stage is kept
   * as `capture` gives it.
   *
   * @throws InterruptedError when the run is to stop, once it is kept.
   */
  reached(done: number, capture: () => Promise<Captured>): Promise<void>;
}

/** The checkpoints of one stage, whose file goes at its end. */
export interface StageCheckpoints extends Checkpoints {
  /** How many of the stage's events belong to the steps that are done. */
  readonly eventCount: number;
  forget(): Promise<void>;
}

export interface CheckpointOptions {
  readonly folder: RunFolder;
  readonly events: EventLog;
  readonly stage: StageName;
  /** Hash of all that the stage reads. */
  readonly inputs: string;
  /** Aborted when the run is to stop. */
  readonly signal?: AbortSignal;
  /** 60 by default; tests take every step. */
  readonly intervalSeconds?: number;
}

const metadataSchema = z.object({
  version: z.literal('1'),
  inputs: z.string(),
  done: z.coerce.number().int().min(1),
  events: z.coerce.number().int().min(0),
  state: z.string(),
});

/** How the names of all checkpoints' files begin. */
export const CHECKPOINT_PREFIX = 'checkpoint-';

const fileOf = (stage: StageName): string => `${CHECKPOINT_PREFIX}${stage}.safetensors`;

/** A checkpoint from the same inputs; null where there is none, or the file is damaged: then the stage begins anew. */
async function load({
  folder,
  stage,
  inputs,
}: CheckpointOptions): Promise<(Checkpoint & { readonly events: number }) | null> {
  const file = fileOf(stage);
  if (!(await folder.exists(file))) return null;
  try {
    const { tensors, metadata } = decodeSafetensors(await folder.readBytes(file), folder.pathOf(file));
    const { done, events, state, inputs: found } = metadataSchema.parse(metadata);
    return found === inputs ? { done, events, tensors, state: JSON.parse(state) } : null;
  } catch (error) {
    if (error instanceof DataError || error instanceof SyntaxError || error instanceof z.ZodError)
      return null;
    throw error;
  }
}

/** Opens a stage's checkpoints: `resumed` is the one that is there. */
export async function openCheckpoints(options: CheckpointOptions): Promise<StageCheckpoints> {
  const { folder, events, stage, inputs, signal, intervalSeconds = INTERVAL_SECONDS } = options;
  const resumed = await load(options);
  let saved = performance.now();
  return {
    resumed,
    eventCount: resumed?.events ?? 0,
    async reached(done, capture) {
      const isStopping = signal?.aborted ?? false;
      if (!isStopping && performance.now() - saved < 1000 * intervalSeconds) return;
      const { tensors, state = null } = await capture();
      // Events first: a checkpoint never knows of more than the file does.
      await events.flush();
      const metadata = {
        version: '1',
        inputs,
        done: String(done),
        events: String(await events.countStage(stage)),
        state: JSON.stringify(state),
      };
      await folder.writeBytes(fileOf(stage), encodeSafetensors(tensors, metadata));
      saved = performance.now();
      if (isStopping) throw interrupted(stage);
    },
    forget: () => folder.remove(fileOf(stage)),
  };
}

/** What ends a run that was asked to stop. */
export function interrupted(stage: StageName): InterruptedError {
  return new InterruptedError(
    `Stopped in the stage ${stage}, as asked. What is done is kept: give the same command again to go on.`,
  );
}
