/**
 * Sweeps on a real SLURM of four nodes. Whatever is killed there and however often, they end with the bits of the same sweep that one
 * worker did here. HYPERGRAD_FAULT_SEED repeats a run's moments, HYPERGRAD_FAULT_KILLS asks for another number of kills.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TRAIL } from '../../src/pipeline/watch/trail.js';
import { type Bundle, bundle } from '../support/bundle.js';
import { addCounts, countFaults, type FaultCounts, totalOf } from '../support/faults/counts.js';
import { turnFolder } from '../support/readOnly.js';
import { survive } from './chaos.js';
import { Cluster, until } from './cluster.js';
import { type Hypergrad, hypergradAt } from './commandLine.js';
import { missingForCluster } from './programs.js';
import {
  artefactsOf,
  doneIn,
  graphOf,
  isWhole,
  jobCalled,
  jobStatus,
  secondsOf,
  statusOf,
  submit,
  taskStates,
  timesDone,
  untilIdle,
} from './sweeps.js';

const LEAST_KILLS = Number(process.env.HYPERGRAD_FAULT_KILLS || 30);
const seed = Number(process.env.HYPERGRAD_FAULT_SEED || Date.now() % 1_000_000);
const NODES = 4;
const MOST_ROUNDS = 5;
/** Seconds for a sweep that nothing disturbs. */
const PATIENCE = 600;

/** Two settings, eight experts, three seeds. */
const SWEEP = `preset: tiny-test
config:
  data: { train: 100, test: 50 }
  experts: { count: 8 }
  evaluate: { seeds: 1, rows: [randomEncoder, mkdt], batch: 5, labels: [0.2] }
grid: { distil.steps: [1, 2] }
seeds: [1, 2, 3]
`;
/** For each seed a teacher, targets, experts and a subset, and for each setting a distillation, an evaluation and a report. */
const JOBS = 3 * (1 + 1 + 8 + 1 + 2 * 3);

/** Steps of a teacher that is still at work when it has been looked at, on any processor: some ten seconds on an idle one. */
const A_WHILE = 3000;

/** One run that takes as long as its teacher. */
const longTeacher = (steps: number): string => `preset: tiny-test
config:
  data: { train: 100, test: 50 }
  teacher: { steps: ${steps} }
  experts: { count: 1 }
  evaluate: { seeds: 1, rows: [mkdt], batch: 5, labels: [0.2] }
seeds: [1]
`;

const missing = missingForCluster();

describe.skipIf(missing !== null)(`a sweep on SLURM${missing === null ? '' : ` (${missing})`}`, () => {
  let built: Bundle;
  let scratch = '';
  let cluster: Cluster;
  let hypergrad: Hypergrad;
  let expected: Record<string, string>;
  /** Seconds that one worker took here. */
  let alone = 0;
  const at = (name: string): string => join(scratch, name);

  beforeAll(async () => {
    process.stdout.write(`The moments are drawn from HYPERGRAD_FAULT_SEED=${seed}.\n`);
    built = await bundle({ cli: 'src/cli/main.ts' });
    scratch = mkdtempSync(join(tmpdir(), 'hypergrad-cluster-'));
    writeFileSync(at('sweep.yaml'), SWEEP);
    cluster = await Cluster.start({ nodes: NODES });
    hypergrad = hypergradAt(built.entry('cli'), cluster.environment);
    const began = performance.now();
    const { code, stderr } = await hypergrad(
      ...['sweep', at('sweep.yaml'), '--out', at('alone'), '--workers', '1', '--quiet'],
    );
    expect(code, stderr).toBe(0);
    alone = (performance.now() - began) / 1000;
    expected = artefactsOf(at('alone'));
  });
  afterAll(async () => {
    await cluster?.stop();
    await built?.remove();
    rmSync(scratch, { recursive: true, force: true });
  });

  it('ends with the bits of one worker, with each job done once', async () => {
    const began = performance.now();
    expect(await submit(hypergrad, at('sweep.yaml'), at('calm'))).toBe(JOBS);
    await untilIdle(cluster, PATIENCE);
    const wall = (performance.now() - began) / 1000;
    process.stdout.write(
      `${JOBS} jobs of ${secondsOf(at('calm')).toFixed()} s in all, on ${NODES} nodes in ${wall.toFixed()} s; by one worker ${secondsOf(at('alone')).toFixed()} s in ${alone.toFixed()} s.\n`,
    );
    expect(await statusOf(hypergrad, at('calm'))).toMatchObject({ counts: { done: JOBS }, secondsLeft: 0 });
    expect(artefactsOf(at('calm'))).toEqual(expected);
    expect([...timesDone(at('calm')).values()]).toEqual(Array.from({ length: JOBS }, () => 1));
    expect(await submit(hypergrad, at('sweep.yaml'), at('calm'))).toBe(0);
  });

  it('ends with them also where its tasks and nodes are killed, with nothing lost and nothing done twice', async (context) => {
    let kills: FaultCounts = {};
    for (let round = 0; totalOf(kills) < LEAST_KILLS && round < MOST_ROUNDS; round++) {
      const sweep = at(`killed-${round}`);
      const survived = await survive({
        ...{ cluster, sweep, seed, round, kills: LEAST_KILLS },
        submit: () => submit(hypergrad, at('sweep.yaml'), sweep),
      });
      const what = `seed ${seed}, round ${round}: ${survived.history.join('; ')}`;
      await untilIdle(cluster, PATIENCE);
      expect(artefactsOf(sweep), what).toEqual(expected);
      const times = timesDone(sweep);
      expect([...times.keys()].sort(), what).toEqual([...graphOf(sweep).jobs.map(({ hash }) => hash)].sort());
      // One that was killed between giving its result the name and saying so said nothing; none said it twice.
      expect(
        [...times.values()].every((count) => count <= 1),
        what,
      ).toBe(true);
      expect((await statusOf(hypergrad, sweep)).counts, what).toMatchObject({ done: JOBS, failed: 0 });
      expect(await submit(hypergrad, at('sweep.yaml'), sweep), what).toBe(0);
      kills = addCounts(kills, survived.kills);
      process.stdout.write(
        `Round ${round}: ${JSON.stringify(survived.kills)}, ${survived.submissions} submissions.\n`,
      );
      rmSync(sweep, { recursive: true });
    }
    countFaults(context, 'cluster kills', kills);
    expect(totalOf(kills)).toBeGreaterThanOrEqual(LEAST_KILLS);
  });

  it('says which job ran out of time, and goes on with it', async () => {
    const sweep = at('long');
    // How fast this machine is, and from that a teacher that takes longer than SLURM's shortest limit, a minute.
    const trial = 400;
    writeFileSync(at('trial.yaml'), longTeacher(trial));
    await submit(hypergrad, at('trial.yaml'), at('trial'));
    await untilIdle(cluster, PATIENCE);
    const { hash: trained } = jobCalled(at('trial'), 'teacher');
    const seconds = secondsOf(at('trial'), trained);
    writeFileSync(at('long.yaml'), longTeacher(Math.ceil((200 * trial) / seconds)));

    await submit(hypergrad, at('long.yaml'), sweep, '--slurm-option=time=1');
    await untilIdle(cluster, PATIENCE);
    const teacher = jobCalled(sweep, 'teacher');
    const { counts, jobs } = await statusOf(hypergrad, sweep);
    expect(counts).toMatchObject({ failed: 1, blocked: jobs.length - 1, done: 0 });
    const found = jobs.find(({ job }) => job.hash === teacher.hash)!;
    expect(found.state).toBe('failed');
    expect(found.says).toMatch(/ran longer than its time limit\. Submit again/);
    expect(readFileSync(found.log!, 'utf8')).toMatch(/DUE TO TIME LIMIT/);

    expect(await submit(hypergrad, at('long.yaml'), sweep, '--slurm-option=time=20')).toBe(jobs.length);
    await untilIdle(cluster, PATIENCE);
    expect(isWhole(sweep)).toBe(true);
    // It went on from what it had kept: no step's event is there twice.
    const events = readFileSync(join(sweep, 'jobs', teacher.hash, 'events.jsonl'), 'utf8')
      .trim()
      .split('\n');
    expect(new Set(events).size).toBe(events.length);
    expect(readFileSync(join(sweep, 'logs', `${teacher.hash}.log`), 'utf8')).toMatch(/begins, try 2\./);
  });

  it('leaves one result where two workers have one job', async () => {
    writeFileSync(at('two.yaml'), longTeacher(A_WHILE));
    const sweep = at('two');
    await submit(hypergrad, at('two.yaml'), sweep);
    const { hash } = jobCalled(sweep, 'teacher');
    const isBegun = async (): Promise<boolean> => existsSync(join(sweep, 'claims', hash));
    await until('The job has begun', isBegun, { seconds: PATIENCE });
    const second = hypergrad('job', hash, '--sweep', sweep, '--json', '--quiet');
    expect(await jobStatus(hypergrad, sweep, hash)).toMatchObject({ state: 'running' });
    const { code, stdout, stderr } = await second;
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ hash, wasDone: true });
    await untilIdle(cluster, PATIENCE);
    expect(isWhole(sweep)).toBe(true);
    expect(Math.max(...timesDone(sweep).values())).toBe(1);
  });

  it('takes a sweep out of the queue, and goes on with it later', async () => {
    writeFileSync(at('cancelled.yaml'), longTeacher(A_WHILE));
    const sweep = at('cancelled');
    const count = await submit(hypergrad, at('cancelled.yaml'), sweep);
    const { hash } = jobCalled(sweep, 'teacher');
    const isBegun = async (): Promise<boolean> => existsSync(join(sweep, 'claims', hash));
    await until('The job has begun', isBegun, { seconds: PATIENCE });
    const { stdout } = await hypergrad('cancel', sweep, '--json', '--quiet');
    expect(JSON.parse(stdout)).toMatchObject({ running: 1, queued: count - 1 });
    await untilIdle(cluster, PATIENCE);
    expect(doneIn(sweep)).toEqual([]);
    const { counts, jobs } = await statusOf(hypergrad, sweep);
    expect(counts).toMatchObject({ waiting: count, failed: 0 });
    expect(jobs[0]!.says).toMatch(/was cancelled/);
    expect(await submit(hypergrad, at('cancelled.yaml'), sweep)).toBe(count);
    await untilIdle(cluster, PATIENCE);
    expect(isWhole(sweep)).toBe(true);
  });

  it('says that the folder is read-only, and goes on when it is writable again', async (context) => {
    const turn = turnFolder(scratch);
    if (turn === null) {
      context.skip('Nobody may make files read-only for root here (chattr +i).');
      return;
    }
    writeFileSync(at('locked.yaml'), longTeacher(A_WHILE));
    const sweep = at('locked');
    const count = await submit(hypergrad, at('locked.yaml'), sweep);
    const { hash } = jobCalled(sweep, 'teacher');
    const isAtWork = async (): Promise<boolean> => existsSync(join(sweep, 'work', `${hash}.0`, 'run', TRAIL));
    await until('The job is at work', isAtWork, { seconds: PATIENCE });
    const parts = ['work', 'claims', 'jobs'].map((part) => join(sweep, part));
    for (const part of parts) turn(part, 'read-only');
    try {
      await untilIdle(cluster, PATIENCE);
      const found = await jobStatus(hypergrad, sweep, hash);
      expect(found).toMatchObject({ state: 'failed' });
      expect(found.says).toMatch(/SLURM's task \d+_0 failed\. Submit again/);
      expect(readFileSync(found.log!, 'utf8')).toMatch(
        /cannot be (written|created|removed): .*(not permitted|the disk is read-only)/,
      );
    } finally {
      for (const part of parts) turn(part, 'writable');
    }
    expect(await submit(hypergrad, at('locked.yaml'), sweep)).toBe(count);
    await untilIdle(cluster, PATIENCE);
    expect(isWhole(sweep)).toBe(true);
    expect([...(await taskStates(cluster)).values()]).toContain('FAILED');
  });
});
