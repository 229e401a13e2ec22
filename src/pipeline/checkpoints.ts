/**
 * A stage in its middle, so that a run that was broken off goes on from there and ends with the bits of one that was not. A
 * checkpoint is one file, written whole and named by what the stage reads; it goes when the stage is finished.
 */
import { z } from 'zod';
import { DataError, InterruptedError, StoreError } from '../errors.js';
import type { StageName } from './progress.js';
import { requireFiniteTensors } from './stages/finite.js';
import { type Stopwatch, stopwatch } from './stopwatch.js';
import type { EventLog } from './store/events.js';
import { checkpointFile } from './store/fileNames.js';
import type { FolderView, RunFolder } from './store/runFolder.js';
import { decodeSafetensors, encodeSafetensors, type NamedTensor } from './store/safetensors.js';

/** Seconds of work between two checkpoints. Where they fall changes no bit of the result. */
const INTERVAL_SECONDS = 60;

/** 1 held neither seconds nor files. */
export const CHECKPOINT_VERSION = 2;

/** What is left to one whose training failed between two checkpoints. */
const KEPT_BEFORE = "The checkpoint before it stays. Lower the stage's learning rate.";

/** What a stage needs to go on. */
export interface Captured {
  readonly tensors: ReadonlyMap<string, NamedTensor>;
  /** Plain values beside them, which JSON keeps exactly. */
  readonly state?: unknown;
  /** What the stage has left in the folder by then and will not make again: a checkpoint counts only while these are unchanged. */
  readonly files?: readonly string[];
}

/** A stage after some of its steps. */
export interface Checkpoint extends Pick<Captured, 'tensors' | 'state'> {
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
}

export interface CheckpointOptions {
  readonly folder: RunFolder;
  readonly events: EventLog;
  readonly stage: StageName;
  /** What the checkpoint is called; as the stage by default. */
  readonly file?: string;
  /** Hash of all that the stage reads. */
  readonly inputs: string;
  /** Counts the stage's seconds; what a checkpoint holds of them is carried over to it. */
  readonly watch?: Stopwatch;
  /** Aborted when the run is to stop. */
  readonly signal?: AbortSignal;
  /** 60 by default; tests take every step. */
  readonly intervalSeconds?: number;
  /** Whether the stage tells all of its events again when it goes on, those of finished parts too. */
  readonly tellsAgain?: boolean;
  /** What the one who stopped the run is to do; `interrupted` says the usual by default. */
  readonly advice?: string;
}

const hashes = z.record(z.string(), z.string());

const metadataSchema = z.object({
  version: z.enum(['1', String(CHECKPOINT_VERSION)]),
  inputs: z.string(),
  done: z.coerce.number().int().min(0),
  events: z.coerce.number().int().min(0),
  state: z.string().transform((text): unknown => JSON.parse(text)),
  seconds: z.coerce.number().min(0).default(0),
  files: z
    .string()
    .default('{}')
    .transform((text) => hashes.parse(JSON.parse(text))),
});

/** Removes a stage's checkpoint, where there is one: the stage is finished, or is to begin anew. */
export const forgetCheckpoint = (folder: RunFolder, stage: string): Promise<void> =>
  folder.remove(checkpointFile(stage));

/** What a stage's checkpoint is of; null where there is none that counts. Throws `StoreError` for one of a newer version. */
export async function peekCheckpoint(
  folder: FolderView,
  stage: StageName,
): Promise<{ readonly inputs: string; readonly done: number } | null> {
  const file = checkpointFile(stage);
  if (!(await folder.exists(file))) return null;
  const found = decode(await folder.readBytes(file), folder.pathOf(file));
  return found && { inputs: found.inputs, done: found.done };
}

type Loaded = z.infer<typeof metadataSchema> & { readonly tensors: Checkpoint['tensors'] };

/** A checkpoint from the same inputs; null where there is none, or it does not count: then the stage begins anew. */
async function load({
  folder,
  events,
  stage,
  file: called = stage,
  inputs,
  tellsAgain,
}: CheckpointOptions): Promise<Loaded | null> {
  const file = checkpointFile(called);
  if (!(await folder.exists(file))) return null;
  const found = decode(await folder.readBytes(file), folder.pathOf(file));
  if (found?.inputs !== inputs) return null;
  for (const [name, hash] of Object.entries(found.files)) {
    if ((await folder.hashOf(name)) !== hash) return null;
  }
  // What it knows of was on disk before it. A file that was deleted or cut since would leave a gap.
  if (!tellsAgain && (await events.countStage(stage)) < found.events) return null;
  return found;
}

/** Null for a damaged file. Throws `StoreError` for one of a newer version: its hours of work are not to be lost unasked. */
function decode(bytes: Uint8Array, path: string): Loaded | null {
  try {
    const { tensors, metadata } = decodeSafetensors(bytes, path);
    if (Number(metadata.version) > CHECKPOINT_VERSION) {
      throw new StoreError(
        `${path} is of version ${metadata.version}, written by a newer hypergrad; this one goes on from versions up to ${CHECKPOINT_VERSION}. Use that hypergrad, or delete the file to begin its stage anew.`,
      );
    }
    return { ...metadataSchema.parse(metadata), tensors };
  } catch (error) {
    if (error instanceof DataError || error instanceof SyntaxError || error instanceof z.ZodError)
      return null;
    throw error;
  }
}

/** Opens a stage's checkpoints: `resumed` is the one that is there. */
export async function openCheckpoints(options: CheckpointOptions): Promise<StageCheckpoints> {
  const { folder, events, stage, inputs, signal, intervalSeconds = INTERVAL_SECONDS } = options;
  const { watch = stopwatch(), tellsAgain = false, file = stage } = options;
  const resumed = await load(options);
  watch.carry(resumed?.seconds ?? 0);
  let saved = performance.now();
  return {
    resumed,
    eventCount: tellsAgain ? 0 : (resumed?.events ?? 0),
    async reached(done, capture) {
      const isStopping = signal?.aborted ?? false;
      if (!isStopping && performance.now() - saved < 1000 * intervalSeconds) return;
      const { tensors, state = null, files = [] } = await capture();
      // What is kept is to be gone on from.
      requireFiniteTensors(tensors, `the checkpoint of the stage ${stage} after ${done} steps`, KEPT_BEFORE);
      const kept = await Promise.all(files.map(async (name) => [name, await folder.hashOf(name)]));
      // Events first: a checkpoint never knows of more than the file does.
      await events.flush();
      const metadata = {
        version: String(CHECKPOINT_VERSION),
        inputs,
        done: String(done),
        events: String(await events.countStage(stage)),
        state: JSON.stringify(state),
        seconds: String(watch.current),
        files: JSON.stringify(Object.fromEntries(kept)),
      };
      await folder.writeBytes(checkpointFile(file), encodeSafetensors(tensors, metadata));
      saved = performance.now();
      if (isStopping) throw interrupted(stage, options.advice);
    },
  };
}

/** What a checkpoint has beside its tensors. Throws `StoreError` where that is not what its stage keeps. */
export function stateOf<State>({ state }: Checkpoint, schema: z.ZodType<State>): State {
  const parsed = schema.safeParse(state);
  if (parsed.success) return parsed.data;
  throw notOurs();
}

/** A tensor of so many f32, or of any number. Throws `StoreError` where the checkpoint has no such. */
export function tensorOf({ tensors }: Checkpoint, name: string, length?: number): Float32Array {
  const data = tensors.get(name)?.data;
  if (data instanceof Float32Array && (length === undefined || data.length === length)) return data;
  throw notOurs();
}

/** Float64 as a tensor, bit by bit. */
export const doublesTensor = (data: Float64Array): NamedTensor => ({
  dtype: 'I32',
  shape: [data.length, 2],
  data: new Int32Array(data.slice().buffer),
});

/** So many float64 that `doublesTensor` kept. Throws `StoreError` where the checkpoint has no such. */
export function doublesOf({ tensors }: Checkpoint, name: string, length: number): Float64Array {
  const data = tensors.get(name)?.data;
  if (data instanceof Int32Array && data.length === 2 * length) return new Float64Array(data.slice().buffer);
  throw notOurs();
}

/** A checkpoint that was made from the same inputs, and still does not hold what its stage keeps. */
export const notOurs = (): StoreError =>
  new StoreError(
    'The checkpoint of this stage does not hold what the stage keeps. Delete checkpoint-*.safetensors from the run folder to begin the stage anew.',
  );

/** What ends a run that was asked to stop. */
export function interrupted(
  stage: StageName,
  advice = 'What is done is kept: give the same command again to go on.',
): InterruptedError {
  return new InterruptedError(`Stopped in the stage ${stage}, as asked. ${advice}`);
}
