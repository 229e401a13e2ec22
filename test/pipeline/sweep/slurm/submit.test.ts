import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JobKind } from '../../../../src/pipeline/sweep/graph.js';
import { type SlurmFolder, slurmFolder } from '../../../../src/pipeline/sweep/slurm/slurmFolder.js';
import { type SubmissionReport, submitSweep } from '../../../../src/pipeline/sweep/slurm/submit.js';
import { readSlurmView } from '../../../../src/pipeline/sweep/slurm/view.js';
import { type ScriptedSlurm, scriptedSlurm } from '../../../support/slurm/scriptedSlurm.js';
import { tinyGraph } from '../../../support/slurm/tinyGraph.js';

const graph = tinyGraph();
const hashOf = (kind: JobKind, part?: string): string =>
  graph.jobs.find((job) => job.kind === kind && (part === undefined || job.part === part))!.hash;

let path = '';
let folder: SlurmFolder;
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'hypergrad-submit-'));
  folder = slurmFolder(path);
});
afterEach(() => rmSync(path, { recursive: true }));

const submit = (
  slurm: ScriptedSlurm,
  done: readonly string[] = [],
  isDryRun = false,
): Promise<SubmissionReport> =>
  submitSweep({
    ...{ graph, folder, slurm, isDryRun, done: new Set(done) },
    ...{ command: ['hypergrad'], jobOptions: [], gpus: 0, workingFolder: path, options: [], setup: [] },
    requestOf: () => ({ minutes: 10, mebibytes: 512 }),
  });
const kinds = ({ arrays }: SubmissionReport): string[] =>
  arrays.map(({ kind, tasks }) => `${kind} × ${tasks}`);

describe('submitSweep', () => {
  it('submits everything once, and nothing while SLURM has it', async () => {
    const slurm = scriptedSlurm();
    const first = await submit(slurm);
    expect(first.arrays.map(({ number }) => number)).toEqual(slurm.submissions.map(({ number }) => number));
    expect(slurm.submissions[2]!.after).toEqual(['101']);
    const second = await submit(slurm);
    expect(second).toEqual({ arrays: [], done: 0, queued: graph.jobs.length });
    expect(slurm.submissions).toHaveLength(first.arrays.length);
  });

  it('submits again what failed and all that waits for it, which it takes out of the queue, and nothing else', async () => {
    const slurm = scriptedSlurm();
    await submit(slurm);
    const done = [hashOf('teacher'), hashOf('targets'), hashOf('expert', '000')];
    for (const id of ['100_0', '101_0', '102_0']) slurm.set(id, { state: 'COMPLETED', phase: 'completed' });
    slurm.set('102_1', { state: 'TIMEOUT', phase: 'ended' });
    slurm.set('102_2', { state: 'RUNNING', phase: 'running' });
    const again = await submit(slurm, done);
    expect(kinds(again)).toEqual([
      'expert × 1',
      'subset × 1',
      'distil × 2',
      'evaluation × 2',
      'report × 1',
      'evaluation × 2',
      'report × 1',
    ]);
    expect(again).toMatchObject({ done: 3, queued: 1 });
    // The subset waits for the expert that still runs, and for the one that runs again.
    const subset = slurm.submissions.find(({ number }) => number === again.arrays[1]!.number)!;
    expect([...subset.after].sort()).toEqual(['102_2', String(again.arrays[0]!.number)].sort());
    expect(slurm.cancelled).toHaveLength(9);
    expect(slurm.cancelled).not.toContain('102_2');
    expect((await submit(slurm, done)).arrays).toEqual([]);
  });

  it('goes on after a submission that ended on its way', async () => {
    const slurm = scriptedSlurm();
    const { submit: take } = slurm;
    slurm.submit = async (script, after) => {
      if (slurm.submissions.length === 3) throw new Error('The controller is gone.');
      return await take(script, after);
    };
    await expect(submit(slurm)).rejects.toThrow('The controller is gone.');
    slurm.submit = take;
    expect(kinds(await submit(slurm))).toEqual([
      'subset × 1',
      'distil × 2',
      'evaluation × 2',
      'report × 1',
      'evaluation × 2',
      'report × 1',
    ]);
    expect(new Set(slurm.submissions.map(({ name }) => name)).size).toBe(slurm.submissions.length);
  });

  it('only writes scripts in a dry run, without asking SLURM', async () => {
    const absent = scriptedSlurm();
    absent.queue = () => Promise.reject(new Error('there is no SLURM'));
    absent.mostTasks = () => Promise.reject(new Error('there is no SLURM'));
    const report = await submit(absent, [], true);
    expect(absent.submissions).toEqual([]);
    expect(report.arrays.every(({ number }) => number === null)).toBe(true);
    for (const { name } of report.arrays) expect(existsSync(join(path, 'slurm', `${name}.sh`))).toBe(true);
    expect(readFileSync(join(path, 'slurm', 'submit.sh'), 'utf8')).toContain(report.arrays.at(-1)!.name);
  });
});

describe('readSlurmView', () => {
  it('knows jobs by their task, with the log of each', async () => {
    const slurm = scriptedSlurm();
    const { arrays } = await submit(slurm);
    slurm.set('102_1', { state: 'RUNNING', phase: 'running', node: 'n3', secondsLeft: 77 });
    const view = await readSlurmView(folder, slurm);
    expect(view.size).toBe(graph.jobs.length);
    expect(view.get(hashOf('expert', '001'))).toMatchObject({
      ...{ id: '102_1', node: 'n3', secondsLeft: 77 },
      log: join(path, 'slurm', 'logs', `${arrays[2]!.name}-102_1.log`),
    });
  });

  it.each([
    [true, 'TIMEOUT'],
    [false, 'UNKNOWN'],
  ])('tells of tasks that SLURM has forgotten what its accounts say (%s): %s', async (remembers, state) => {
    const slurm = scriptedSlurm({ remembers });
    await submit(slurm);
    slurm.set('100_0', { state: 'TIMEOUT', phase: 'ended' });
    slurm.forget(100);
    const view = await readSlurmView(folder, slurm);
    expect(view.get(hashOf('teacher'))).toMatchObject({ state, phase: 'ended', id: '100_0' });
  });

  it.each([
    [true, 'OUT_OF_MEMORY'],
    [false, 'UNKNOWN'],
  ])('tells the same (%s) of one task while others of its array go on: %s', async (remembers, state) => {
    const slurm = scriptedSlurm({ remembers });
    await submit(slurm);
    slurm.set('102_1', { state: 'OUT_OF_MEMORY', phase: 'ended' });
    slurm.forget(102, 1);
    const view = await readSlurmView(folder, slurm);
    expect(view.get(hashOf('expert', '001'))).toMatchObject({ state, phase: 'ended', id: '102_1' });
    expect(view.get(hashOf('expert', '002'))).toMatchObject({ phase: 'queued' });
  });

  it('leaves other sweeps of the same jobs alone', async () => {
    const slurm = scriptedSlurm();
    await submit(slurm);
    const other = mkdtempSync(join(tmpdir(), 'hypergrad-submit-'));
    const mine = folder;
    folder = slurmFolder(other);
    await submit(slurm);
    expect(slurm.submissions).toHaveLength(18);
    expect((await readSlurmView(folder, slurm)).get(hashOf('teacher'))!.id).toBe('109_0');
    expect((await readSlurmView(mine, slurm)).get(hashOf('teacher'))!.id).toBe('100_0');
    rmSync(other, { recursive: true });
  });

  it('says which file is damaged', async () => {
    const { arrays } = await submit(scriptedSlurm());
    writeFileSync(join(path, 'slurm', `${arrays[0]!.name}.jobs`), '../../etc\n');
    await expect(readSlurmView(folder, scriptedSlurm())).rejects.toThrow(/\.jobs is damaged/);
  });
});
