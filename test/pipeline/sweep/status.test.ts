import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { StoreError } from '../../../src/errors.js';
import { resolveConfig } from '../../../src/pipeline/config/resolve.js';
import { ourselves } from '../../../src/pipeline/store/lockOwner.js';
import type { Job } from '../../../src/pipeline/sweep/graph.js';
import { graphOf } from '../../../src/pipeline/sweep/jobs.js';
import { soleRun } from '../../../src/pipeline/sweep/members.js';
import { logTail, type ScheduledJob, sweepStatus } from '../../../src/pipeline/sweep/status.js';
import { findJob, pathsOf, readGraph, writeSweep } from '../../../src/pipeline/sweep/sweepFolder.js';
import { leaveTrail, readTrail } from '../../../src/pipeline/watch/trail.js';

const runs = soleRun(resolveConfig({ preset: 'tiny-test', sets: ['experts.count=3'] }));
const graph = graphOf(runs, () => ({ data: 'd'.repeat(64), given: null }));
const job = (name: string): Job => findJob(graph, name);

let scratch = '';
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'hypergrad-status-'));
});
afterAll(() => rmSync(scratch, { recursive: true }));

async function folder(name: string): Promise<string> {
  const sweep = join(scratch, name);
  await writeSweep(sweep, graph, runs);
  return sweep;
}

function finish(sweep: string, { hash, kind }: Job, seconds: number): void {
  mkdirSync(pathsOf(sweep).job(hash));
  const device = { name: 'some device', kind: 'software', bundled: true };
  const said = { version: 1, hash, kind, device, seconds, machine: 'here', finished: '' };
  writeFileSync(pathsOf(sweep).record(hash), JSON.stringify(said));
}

async function claim(sweep: string, { hash }: Job, changes: object = {}, end?: object): Promise<void> {
  const claims = pathsOf(sweep).claims(hash);
  mkdirSync(claims, { recursive: true });
  writeFileSync(join(claims, '0.json'), JSON.stringify({ ...(await ourselves()), ...changes }));
  if (end !== undefined) writeFileSync(join(claims, '0.end.json'), JSON.stringify(end));
}

const statusOf = async (sweep: string, scheduled?: ReadonlyMap<string, ScheduledJob>) => {
  const status = await sweepStatus(sweep, await readGraph(sweep), scheduled);
  return { ...status, of: (name: string) => status.jobs.find((each) => each.job.hash === job(name).hash)! };
};

it('tells of each job whether it is done, running, waiting, failed or blocked', async () => {
  const sweep = await folder('all');
  finish(sweep, job('teacher'), 7);
  finish(sweep, job('targets'), 3);
  finish(sweep, job('expert-000'), 10);
  await claim(sweep, job('expert-001'));
  const run = join(pathsOf(sweep).work, `${job('expert-001').hash}.0`, 'run');
  mkdirSync(run, { recursive: true });
  leaveTrail(run, { command: '', image: [1, 7, 7] }).started('experts', 4, 'epochs');
  await vi.waitFor(async () => expect((await readTrail(run))?.stages).toHaveLength(1));
  const end = { outcome: 'failed', message: 'The disk is full.', exitCode: 6, at: '' };
  await claim(sweep, job('expert-002'), {}, end);

  const { counts, of, secondsLeft } = await statusOf(sweep);
  expect(counts).toEqual({ done: 3, running: 1, waiting: 0, failed: 1, blocked: graph.jobs.length - 5 });
  expect(of('teacher')).toMatchObject({ state: 'done', seconds: 7 });
  expect(of('expert-001')).toMatchObject({
    state: 'running',
    progress: { done: 0, total: 4, unit: 'epochs' },
  });
  expect(of('expert-001').says).toMatch(new RegExp(`^process ${process.pid} on `));
  expect(of('expert-002')).toMatchObject({ state: 'failed', says: 'The disk is full.' });
  expect(of('distil')).toMatchObject({ state: 'blocked', says: 'a job that it reads has failed' });
  // One of the kind took ten seconds.
  expect(secondsLeft).toBeGreaterThan(0);
  expect(secondsLeft).toBeLessThanOrEqual(10);
});

it('tells what was broken off from what has failed', async () => {
  const sweep = await folder('broken');
  await claim(sweep, job('teacher'), { start: 'an earlier process' });
  expect((await statusOf(sweep)).of('teacher')).toMatchObject({
    state: 'waiting',
    says: 'its worker was killed; goes on from what it kept',
  });
  expect((await statusOf(sweep)).secondsLeft).toBeNull();
});

it('unites what a scheduler says with the folder', async () => {
  const sweep = await folder('scheduled');
  const [teacher, expert] = [job('teacher').hash, job('expert-000').hash];
  const queued = await statusOf(sweep, new Map([[teacher, { state: 'queued', says: 'Priority' }]]));
  expect(queued.of('teacher')).toMatchObject({ state: 'waiting', isQueued: true, says: 'Priority' });

  // Of a worker on another machine nothing can be seen from here.
  await claim(sweep, job('teacher'), { realm: 'another machine' });
  expect((await statusOf(sweep)).of('teacher').state).toBe('running');
  const ended = await statusOf(
    sweep,
    new Map<string, ScheduledJob>([
      [teacher, { state: 'failed', says: 'TIMEOUT', log: 'logs/1.out' }],
      [expert, { state: 'failed', says: 'NODE_FAIL' }],
    ]),
  );
  expect(ended.of('teacher')).toMatchObject({ state: 'failed', says: 'TIMEOUT', log: 'logs/1.out' });
  expect(ended.of('expert-000')).toMatchObject({ state: 'failed', says: 'NODE_FAIL' });
  expect(ended.of('targets').state).toBe('blocked');

  const cancelled = await statusOf(sweep, new Map([[teacher, { state: 'stopped', says: 'cancelled' }]]));
  expect(cancelled.of('teacher')).toMatchObject({ state: 'waiting', isQueued: false, says: 'cancelled' });
  expect(cancelled.of('targets').state).toBe('waiting');
});

it('shows the end of a log, and reads no more of it', async () => {
  const log = join(scratch, 'long.log');
  writeFileSync(log, `${'line\n'.repeat(1e5)}the last one\n`);
  const tail = await logTail(log);
  expect(tail.split('\n')).toHaveLength(12);
  expect(tail.endsWith('line\nthe last one')).toBe(true);
  expect(await logTail(join(scratch, 'none.log'))).toBe('');
});

it('tells a sweep that may not be read from a folder that is none', async () => {
  const sweep = await folder('unreadable');
  rmSync(pathsOf(sweep).graph);
  mkdirSync(pathsOf(sweep).graph);
  await expect(readGraph(sweep)).rejects.toThrow(
    /sweep\.json cannot be read: it is a folder.*Make it readable/,
  );
});

it('is none of a folder that is no sweep, or of one that is damaged or of a newer version', async () => {
  await expect(readGraph(join(scratch, 'nowhere'))).rejects.toThrow(StoreError);
  const sweep = await folder('damaged');
  writeFileSync(pathsOf(sweep).graph, '{ "version": 1, "jobs": [{}] }');
  await expect(readGraph(sweep)).rejects.toThrow(/sweep\.json is damaged/);
  writeFileSync(pathsOf(sweep).graph, '{ "version": 2 }');
  await expect(readGraph(sweep)).rejects.toThrow(/version 2, written by a newer hypergrad/);
});
