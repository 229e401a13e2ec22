import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resolveConfig } from '../../../../src/pipeline/config/resolve.js';
import type { JobCost, SweepEstimate } from '../../../../src/pipeline/sweep/estimate.js';
import type { PlannedRun } from '../../../../src/pipeline/sweep/members.js';
import { needsOf, sweepCosts } from '../../../../src/pipeline/sweep/slurm/costs.js';

const run = (name: string, seed: number, sets: string[] = []): PlannedRun => ({
  ...{ name, seed, values: {} },
  config: resolveConfig({ preset: 'tiny-test', sets, seed }),
});
const cost: JobCost = { seconds: 10, deviceBytes: 2000, hostBytes: 300, diskBytes: 1 };

let sweep = '';
beforeEach(() => {
  sweep = mkdtempSync(join(tmpdir(), 'hypergrad-costs-'));
});
afterEach(() => rmSync(sweep, { recursive: true }));

/** Measures nothing, and tells for which members it was asked. */
function measuring(kind: 'software' | 'hardware') {
  const asked: string[][] = [];
  const measure = (runs: readonly PlannedRun[]) =>
    sweepCosts(sweep, runs, async () => {
      asked.push(runs.map(({ name }) => name));
      const members = new Map(runs.map(({ name }) => [name, { teacher: cost, evaluation: cost }]));
      return { device: { kind }, members, standIns: [] } as unknown as SweepEstimate;
    });
  return { measure, asked };
}

describe('sweepCosts', () => {
  it('measures a configuration once, whatever its seed, and keeps it in the folder', async () => {
    const { measure, asked } = measuring('hardware');
    await measure([run('a', 1), run('b', 2)]);
    const costs = await measure([run('a', 1), run('c', 3)]);
    expect(asked).toHaveLength(1);
    expect(needsOf(costs, { member: 'c', kind: 'teacher' })).toEqual({ seconds: 10, memoryBytes: 300 });
    await measure([run('d', 1, ['distil.steps=1'])]);
    expect(asked).toHaveLength(2);
  });

  it('measures again where what was kept is damaged', async () => {
    const { measure, asked } = measuring('hardware');
    await measure([run('a', 1)]);
    const file = join(sweep, 'slurm', 'costs.json');
    writeFileSync(file, readFileSync(file, 'utf8').slice(0, 40));
    await measure([run('a', 1)]);
    expect(asked).toHaveLength(2);
  });
});

describe('needsOf', () => {
  it('counts a software device’s memory as the machine’s', async () => {
    const costs = await measuring('software').measure([run('a', 1)]);
    expect(needsOf(costs, { member: 'a', kind: 'teacher' })).toEqual({ seconds: 10, memoryBytes: 2300 });
    expect(needsOf(costs, { member: 'a', kind: 'report' }).memoryBytes).toBe(300);
  });

  it('knows nothing of what was not measured', async () => {
    const nothing = { seconds: null, memoryBytes: null };
    expect(needsOf(null, { member: 'a', kind: 'teacher' })).toEqual(nothing);
    const costs = await measuring('hardware').measure([run('a', 1)]);
    expect(needsOf(costs, { member: 'a', kind: 'distil' })).toEqual(nothing);
    expect(needsOf(costs, { member: 'b', kind: 'teacher' })).toEqual(nothing);
  });
});
