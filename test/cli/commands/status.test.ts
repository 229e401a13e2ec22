import { expect, it } from 'vitest';
import { describeStatus } from '../../../src/cli/commands/status.js';
import type { JobStatus, SweepStatus } from '../../../src/pipeline/sweep/status.js';

it('lists the first failed jobs of a sweep, and says how many more there are', () => {
  const job = { hash: '0'.repeat(20), kind: 'teacher', after: [], member: 'seed=1' } as const;
  const failed: JobStatus[] = Array.from({ length: 25 }, () => ({
    ...{ job, state: 'failed', says: '', isQueued: false, seconds: null, progress: null, log: null },
  }));
  const counts = { done: 0, running: 0, waiting: 0, failed: failed.length, blocked: 0 };
  const status: SweepStatus = { sweep: 'sweeps/a', counts, jobs: failed, secondsLeft: 0 };
  const told = describeStatus(
    status,
    failed.slice(0, 20).map((each) => ({ status: each, tail: '' })),
  );
  expect(told).toMatch(/Failed:\n( {2}teacher .*\n){20} {2}and 5 more$/);
});
