/** A process that reads its part of the inputs, and tells of each before and after. */
import { rm } from 'node:fs/promises';
import { type InputKey, inputs, judge, makeScratch, type Outcome } from './fuzz.js';
import { readers } from './readers.js';

export interface Task {
  readonly seeds: readonly number[];
  /** Inputs of each seed, over all processes. */
  readonly each: number;
  /** This process takes every `of`-th input from `part` on. */
  readonly part: number;
  readonly of: number;
  /** One input in place of all. */
  readonly only: InputKey | null;
}

export type Message =
  | { readonly next: InputKey }
  /** `growth` is the most memory that was ever held, less that at the start, in MiB. */
  | { readonly outcome: Outcome; readonly growth: number };

const KIBIBYTES = 1024;
/** MiB by which one input may raise the most that was ever held. */
const LARGEST_STEP = 128;
/** Inputs of every reader that are read before memory is measured: modules are loaded and compiled by then. */
const WARM_UP = 20;

function* keysOf({ seeds, each, only }: Task): Generator<InputKey> {
  if (only !== null) yield only;
  else for (const seed of seeds) yield* inputs(each, seed);
}

export async function work(task: Task): Promise<void> {
  const scratch = await makeScratch();
  const send = (message: Message): Promise<void> =>
    new Promise((sent, failed) =>
      process.send!(message, (error: Error | null) => (error ? failed(error) : sent())),
    );
  try {
    for (const { name } of readers) {
      for (let index = 0; index < WARM_UP; index += 1) await judge({ reader: name, seed: 0, index }, scratch);
    }
    const before = process.resourceUsage().maxRSS;
    let peak = before;
    let number = 0;
    for (const key of keysOf(task)) {
      if (number++ % task.of !== task.part) continue;
      await send({ next: key });
      const outcome = await judge(key, scratch);
      const { maxRSS } = process.resourceUsage();
      const taken = Math.round((maxRSS - peak) / KIBIBYTES);
      peak = maxRSS;
      const growth = Math.round((peak - before) / KIBIBYTES);
      const fault = outcome.fault ?? (taken > LARGEST_STEP ? `${taken} MiB at once` : null);
      await send({ outcome: { ...outcome, fault }, growth });
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
    process.disconnect();
  }
}
