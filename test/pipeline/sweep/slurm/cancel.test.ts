import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cancelSweep } from '../../../../src/pipeline/sweep/slurm/cancel.js';
import { slurmFolder } from '../../../../src/pipeline/sweep/slurm/slurmFolder.js';
import { submitSweep } from '../../../../src/pipeline/sweep/slurm/submit.js';
import { scriptedSlurm } from '../../../support/slurm/scriptedSlurm.js';
import { tinyGraph } from '../../../support/slurm/tinyGraph.js';

it('cancels what runs or waits, first what waits, and nothing else', async () => {
  const path = mkdtempSync(join(tmpdir(), 'hypergrad-cancel-'));
  const [slurm, folder, graph] = [scriptedSlurm(), slurmFolder(path), tinyGraph()];
  await submitSweep({
    ...{
      graph,
      folder,
      slurm,
      done: new Set<string>(),
      requestOf: () => ({ minutes: null, mebibytes: null }),
    },
    ...{ command: ['hypergrad'], jobOptions: [], gpus: 0, options: [], setup: [], workingFolder: path },
  });
  slurm.set('100_0', { state: 'COMPLETED', phase: 'completed' });
  slurm.set('101_0', { state: 'RUNNING', phase: 'running' });
  const rest = graph.jobs.length - 1;
  expect(await cancelSweep(folder, slurm)).toEqual({ running: 1, queued: rest - 1 });
  expect(slurm.cancelled).toHaveLength(rest);
  expect(slurm.cancelled.at(-1)).toBe('101_0');
  expect(slurm.cancelled).not.toContain('100_0');
  expect(await cancelSweep(folder, slurm)).toEqual({ running: 0, queued: 0 });
  rmSync(path, { recursive: true });
});
