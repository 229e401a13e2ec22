/** How an evaluation by itself is kept and stopped: beside the run whose set it is of, or not at all. */
import { type CheckpointOptions, forgetCheckpoint, interrupted, openCheckpoints } from '../checkpoints.js';
import { EVENTS, EventLog } from '../store/events.js';
import { hashInputs } from '../store/manifest.js';
import type { RunFolder } from '../store/runFolder.js';
import { type EvaluationKeeper, keeperOf } from './keeper.js';

/** What its checkpoint is called: not as that of the run's own evaluation. */
export const EVALUATION_CHECKPOINT = 'evaluation';

/** Stages whose artefacts an evaluation of a run's set may read. */
const READ = ['teacher', 'targets', 'subset', 'distil', 'selfSupervised'];

export interface BesideOptions extends Pick<CheckpointOptions, 'signal' | 'intervalSeconds'> {
  readonly folder: RunFolder;
  /** All that the evaluation reads, but for what the run's stages left. */
  readonly reads: Readonly<Record<string, unknown>>;
}

/** Keeps an evaluation in the folder of the run whose set it is of. `forgetBeside` removes it at the end. */
export async function keepBeside({ folder, reads, ...options }: BesideOptions): Promise<EvaluationKeeper> {
  const artefacts = READ.map((stage) => folder.recordOf(stage)?.artefacts ?? null);
  const checkpoints = await openCheckpoints({
    ...options,
    folder,
    events: new EventLog(folder.pathOf(EVENTS), folder.disk),
    stage: 'evaluate',
    file: EVALUATION_CHECKPOINT,
    inputs: hashInputs({ reads, artefacts }),
    // It tells none, and the run's own are no matter of its.
    tellsAgain: true,
  });
  return keeperOf(checkpoints);
}

export const forgetBeside = (folder: RunFolder): Promise<void> =>
  forgetCheckpoint(folder, EVALUATION_CHECKPOINT);

/** Keeps nothing, and ends the evaluation after the steps that are under way when the signal is aborted. */
export function stopping(signal: AbortSignal): EvaluationKeeper {
  const check = async (): Promise<void> => {
    if (signal.aborted)
      throw interrupted('evaluate', 'Nothing is kept of it: give the same command again to begin anew.');
  };
  return { results: [], pretraining: () => ({ from: null, reached: check }), reached: check };
}
