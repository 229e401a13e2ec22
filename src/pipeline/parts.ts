/**
 * A stage made of parts, such as the experts: each is entered in the manifest when it is finished, by what it reads itself. So
 * a stage that was interrupted, or is to make more parts than before, makes those that are missing.
 */
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
}

export function partsOf({ folder, stage, reads, timings, saveTimings }: PartsOptions): TimedParts {
  const nameOf = (part: string): string => `${stage}/${part}`;
  const inputsOf = (part: string): string => hashInputs({ reads, part });
  let reusedSeconds = 0;
  let since = performance.now();
  return {
    async isDone(part) {
      const isDone = await folder.stageIsDone(nameOf(part), inputsOf(part));
      if (isDone) reusedSeconds += timings[nameOf(part)] ?? 0;
      since = performance.now();
      return isDone;
    },
    async record(part, files) {
      timings[nameOf(part)] = Math.round(performance.now() - since) / 1000;
      await saveTimings();
      await folder.recordStage(nameOf(part), inputsOf(part), files);
      since = performance.now();
    },
    get reusedSeconds() {
      return reusedSeconds;
    },
  };
}
