/** `hypergrad run --dry-run`. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createProgram } from '../../src/cli/program.js';
import type { Estimate } from '../../src/pipeline/estimate/estimate.js';
import { captured } from '../support/command.js';

let scratch = '';
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'hypergrad-dry-run-'));
});
afterAll(() => rmSync(scratch, { recursive: true }));

it('tells stages, times, memory and disk of a run, as text and as JSON, and makes no folder', async () => {
  const out = join(scratch, 'run');
  const sets = ['evaluate.rows=[mkdt]', 'evaluate.seeds=1'].flatMap((set) => ['--set', set]);
  const words = ['run', '--preset', 'tiny-test', ...sets, '--out', out, '--dry-run', '--json'];
  const { stdout, stderr } = await captured(() => createProgram().parseAsync(words, { from: 'user' }));

  const estimate = JSON.parse(stdout) as Estimate & { freeDisk: number | null; plan: unknown[] };
  const stages = ['teacher', 'targets', 'experts', 'subset', 'distil', 'evaluate'];
  expect(estimate.space.map(({ stage }) => stage)).toEqual(expect.arrayContaining(stages));
  expect(estimate.seconds).toBeGreaterThan(0);
  expect(estimate.deviceBytes).toBeGreaterThan(0);
  expect(estimate.diskBytes).toBeGreaterThan(0);
  expect(estimate.plan.length).toBeGreaterThanOrEqual(stages.length);

  for (const stage of stages) expect(stderr).toMatch(new RegExp(`^${stage}\\b`, 'm'));
  expect(stderr).toMatch(/^stage +device memory +host memory +disk$/m);
  expect(stderr).toMatch(/ of disk are free for .*run\.$/m);
  expect(existsSync(out)).toBe(false);
});
