/** A SLURM that exists in memory: it takes arrays, and its tasks stand as a test says. */
import { readFileSync } from 'node:fs';
import type { Slurm } from '../../../src/pipeline/sweep/slurm/scheduler.js';
import type { SlurmTask } from '../../../src/pipeline/sweep/slurm/tasks.js';

export interface ScriptedSlurm extends Slurm {
  /** Every array that was submitted: its number, its name there, and what it waits for. */
  readonly submissions: {
    readonly number: number;
    readonly name: string;
    readonly after: readonly string[];
  }[];
  readonly cancelled: string[];
  /** Says how a task stands from now on. */
  set(id: string, task: Partial<SlurmTask>): void;
  /** Forgets an array, or one task of it, as SLURM does with what has ended; its accounts may remember them. */
  forget(number: number, task?: number): void;
}

/** @param remembers whether it keeps accounts */
export function scriptedSlurm({ remembers = false, mostTasks = 1001 } = {}): ScriptedSlurm {
  const submissions: ScriptedSlurm['submissions'] = [];
  const tasks = new Map<string, SlurmTask>();
  const forgotten = new Set<string>();
  return {
    submissions,
    cancelled: [],
    async submit(script, after) {
      const text = readFileSync(script, 'utf8');
      const number = 100 + submissions.length;
      const name = /--job-name=(\S+)/.exec(text)![1]!;
      const [, first, last = first] = /--array=(\d+)(?:-(\d+))?/.exec(text)!;
      submissions.push({ number, name, after });
      for (let task = Number(first); task <= Number(last); task++) {
        tasks.set(`${number}_${task}`, {
          ...{ array: number, task, name, state: 'PENDING', phase: 'queued' },
          ...{ reason: after.length === 0 ? 'Resources' : 'Dependency' },
          ...{ secondsUsed: 0, secondsLeft: null, node: null },
        });
      }
      return number;
    },
    queue: async () =>
      [...tasks.values()].filter(
        ({ array, task }) => !forgotten.has(`${array}`) && !forgotten.has(`${array}_${task}`),
      ),
    history: async (arrays) =>
      remembers ? [...tasks.values()].filter(({ array }) => arrays.includes(array)) : [],
    async cancel(ids) {
      this.cancelled.push(...ids);
      for (const id of ids) this.set(id, { state: 'CANCELLED', phase: 'ended', reason: null });
    },
    mostTasks: async () => mostTasks,
    set(id, task) {
      tasks.set(id, { ...tasks.get(id)!, ...task });
    },
    forget: (number, task) => void forgotten.add(task === undefined ? `${number}` : `${number}_${task}`),
  };
}
