/** Which of SLURM's tasks are a sweep's jobs, and how each of them stands there. */

import type { Slurm } from './scheduler.js';
import { slurmName } from './script.js';
import type { SlurmFolder, Submission } from './slurmFolder.js';
import { FORGOTTEN, idOfTask, type SlurmTask } from './tasks.js';

/** A job as SLURM sees it. */
export interface QueuedJob extends SlurmTask {
  /** What SLURM calls its task: `123_4`. */
  readonly id: string;
  /** The file with what it printed, which is there once it has begun. */
  readonly log: string;
}

/** Whether SLURM will still do something about a task. */
export const isActive = ({ phase }: Pick<SlurmTask, 'phase'>): boolean =>
  phase === 'queued' || phase === 'running';

/** Of two tasks of one job, the one that tells how it stands: one that is active, else the newer one. */
const isLater = (a: SlurmTask, b: SlurmTask): boolean =>
  isActive(a) === isActive(b) ? a.array > b.array : isActive(a);

/** A sweep's jobs that were submitted, by name, each by the task that tells how it stands. */
export async function readSlurmView(folder: SlurmFolder, slurm: Slurm): Promise<Map<string, QueuedJob>> {
  const arrays = await folder.readArrays();
  const view = new Map<string, QueuedJob>();
  if (arrays.size === 0) return view;
  const sweepName = await folder.sweepName();
  const arrayOfName = new Map([...arrays.keys()].map((array) => [slurmName(sweepName, array), array]));
  const add = (task: SlurmTask): void => {
    const array = arrayOfName.get(task.name);
    const hash = array === undefined ? undefined : arrays.get(array)![task.task];
    if (array === undefined || hash === undefined) return;
    const before = view.get(hash);
    if (before !== undefined && !isLater(task, before)) return;
    view.set(hash, {
      ...task,
      id: idOfTask(task),
      log: folder.logOf({ array, number: task.array }, task.task),
    });
  };

  const tasks = await slurm.queue();
  tasks.forEach(add);
  // By tasks, not by arrays: SLURM drops each from its queue some minutes after its end, while others of the array go on.
  const isForgotten = ({ array }: Submission): boolean =>
    arrays.get(array)?.some((hash) => !view.has(hash)) ?? false;
  const forgotten = (await folder.readSubmissions()).filter(isForgotten);
  const history = forgotten.length === 0 ? [] : await slurm.history(forgotten.map(({ number }) => number));
  history.forEach(add);
  for (const submission of forgotten) addUnknown(submission);
  return view;

  /** Jobs of which only the folder knows that they were submitted: SLURM has forgotten how they ended. */
  function addUnknown({ array, number }: Submission): void {
    arrays.get(array)?.forEach((hash, task) => {
      if (view.has(hash)) return;
      add({
        ...{ array: number, task, name: slurmName(sweepName, array), state: FORGOTTEN, phase: 'ended' },
        ...{ reason: null, secondsUsed: null, secondsLeft: null, node: null },
      });
    });
  }
}
