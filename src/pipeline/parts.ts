/**
 * A stage made of parts, such as the experts: each is entered in the manifest when it is finished, by what it reads itself. So
 * a stage that was interrupted, or is to make more parts than before, makes those that are missing.
 */
import { roundSeconds, type Stopwatch, stopwatch } from './stopwatch.js';
import { hashInputs } from './store/manifest.js';
import type { RunFolder } from './store/runFolder.js';

/** The parts of one stage. */
export interface Parts {
  /** Whether a part was finished from the same inputs, and what it made is unchanged. */
  isDone(part: string): Promise<boolean>;
  /** Enters a finished part and the files that it made. */
  record(part: string, files: readonly string[]): Promise<void>;
}

/** Parts with the seconds that those made earlier took. */
export interface TimedParts extends Parts {
  /** Seconds, measured when they were made, of all parts that were found done. */
  readonly reusedSeconds: number;
}

export interface PartsOptions {
  readonly folder: RunFolder;
  readonly stage: string;
  /** What each part reads. */
  readonly reads: unknown;
  /** Seconds by name of stage or part; a recorded part's are entered. */
  readonly timings: Record<string, number>;
  readonly saveTimings: () => Promise<void>;
  /** Counts the stage's seconds; each part is a lap. */
  readonly watch?: Stopwatch;
}

/** What the manifest calls a part. */
export const partName = (stage: string, part: string): string => `${stage}/${part}`;

/** Hash of what a part reads, where each part of the stage reads `reads`. */
export const partInputs = (reads: unknown, part: string): string => hashInputs({ reads, part });

export function partsOf(options: PartsOptions): TimedParts {
  const { folder, stage, reads, timings, saveTimings, watch = stopwatch() } = options;
  let reusedSeconds = 0;
  return {
    async isDone(part) {
      const isDone = await folder.stageIsDone(partName(stage, part), partInputs(reads, part));
      if (isDone) reusedSeconds += timings[partName(stage, part)] ?? 0;
      watch.restart();
      return isDone;
    },
    async record(part, files) {
      timings[partName(stage, part)] = roundSeconds(watch.lap());
      await saveTimings();
      await folder.recordStage(partName(stage, part), partInputs(reads, part), files);
    },
    get reusedSeconds() {
      return reusedSeconds;
    },
  };
}
