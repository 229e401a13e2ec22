import { describe, expect, it } from 'vitest';
import { scheduledJob } from '../../../../src/pipeline/sweep/slurm/scheduled.js';
import type { QueuedJob } from '../../../../src/pipeline/sweep/slurm/view.js';

const task: QueuedJob = {
  ...{ array: 12, task: 3, id: '12_3', name: 'hypergrad-ab-expert-1', log: 'slurm/logs/expert-1-12_3.log' },
  ...{ state: 'RUNNING', phase: 'running', reason: null, secondsUsed: 60, secondsLeft: 3600, node: 'n2' },
};
const queued = (reason: string | null): QueuedJob => ({ ...task, state: 'PENDING', phase: 'queued', reason });
const ended = (state: string, reason: string | null = null): QueuedJob => ({
  ...task,
  state,
  phase: 'ended',
  reason,
});

describe('scheduledJob', () => {
  it('says where a task runs, and for how long it may', () => {
    const { state, says } = scheduledJob(task);
    expect(state).toBe('running');
    expect(says).toMatch(/^SLURM's task 12_3 on n2, .*until its time limit$/);
    expect(scheduledJob({ ...task, secondsLeft: null }).says).toBe("SLURM's task 12_3 on n2");
  });

  it('says what a task waits for, in SLURM’s own word where that is rare', () => {
    expect(scheduledJob(queued('Dependency')).says).toMatch(/waits for the jobs before it/);
    expect(scheduledJob(queued('QOSMaxJobsPerUserLimit')).says).toMatch(/waits \(QOSMaxJobsPerUserLimit\)/);
    expect(scheduledJob(queued(null))).toMatchObject({ state: 'queued' });
  });

  it('tells what failed from what was only taken out', () => {
    expect(scheduledJob(ended('TIMEOUT'))).toMatchObject({
      state: 'failed',
      says: expect.stringMatching(/ran longer than its time limit\. Submit again: .*time=/),
      log: task.log,
    });
    expect(scheduledJob(ended('OUT_OF_MEMORY')).says).toMatch(/--slurm-option=mem=/);
    expect(scheduledJob(ended('NODE_FAIL')).state).toBe('failed');
    for (const state of ['CANCELLED', 'UNKNOWN']) expect(scheduledJob(ended(state)).state).toBe('stopped');
    expect(scheduledJob(ended('CANCELLED', 'DependencyNeverSatisfied')).says).toMatch(
      /a job before it failed/,
    );
  });

  it('leaves it to the folder whether a task that ended well left its result', () => {
    expect(scheduledJob({ ...task, state: 'COMPLETED', phase: 'completed' })).toMatchObject({
      state: 'stopped',
      says: '',
    });
  });
});
