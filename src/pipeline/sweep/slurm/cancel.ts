/** Taking a sweep's jobs out of SLURM. */
import type { Slurm } from './scheduler.js';
import type { SlurmFolder } from './slurmFolder.js';
import { isActive, readSlurmView } from './view.js';

/** What was taken out of SLURM: how many tasks, by how they stood. */
export interface CancelReport {
  /** They are asked to stop after their step, and keep it. */
  readonly running: number;
  readonly queued: number;
}

/**
 * Cancels all tasks of a sweep that run or wait.
 *
 * @throws SchedulerError where SLURM is absent, does not answer or refuses.
 */
export async function cancelSweep(folder: SlurmFolder, slurm: Slurm): Promise<CancelReport> {
  const active = [...(await readSlurmView(folder, slurm)).values()].filter(isActive);
  // What waits goes first, so that nothing begins in the place of what is cancelled.
  const ordered = [...active].sort((a, b) => Number(a.phase === 'running') - Number(b.phase === 'running'));
  if (ordered.length > 0) await slurm.cancel(ordered.map(({ id }) => id));
  const running = active.filter(({ phase }) => phase === 'running').length;
  return { running, queued: active.length - running };
}
