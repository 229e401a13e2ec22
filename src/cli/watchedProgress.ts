/** A run's progress for whoever started it, and for whoever watches its folder. */
import { tellingAll } from '../pipeline/progress.js';
import { leaveTrail, type TrailFacts } from '../pipeline/watch/trail.js';
import type { TerminalProgress } from './terminalProgress.js';
import { progressFor, type VoiceFlags } from './voice.js';

export interface WatchedProgress extends TerminalProgress {
  /** Leaves in the folder that the work ended well. */
  succeeded(): Promise<void>;
  /** Leaves in the folder how the work ended, and throws its error on. */
  failed(error: unknown): Promise<never>;
}

/** Tells the progress on stderr and in a folder that is open for writing. */
export function watchedProgress(flags: VoiceFlags, folder: string, facts: TrailFacts): WatchedProgress {
  const shown = progressFor(flags);
  const trail = leaveTrail(folder, facts);
  return {
    ...tellingAll(shown, trail),
    close: () => shown.close(),
    succeeded: () => trail.end(),
    async failed(error) {
      await trail.end(error ?? new Error('The run ended without saying why.'));
      throw error;
    },
  };
}
