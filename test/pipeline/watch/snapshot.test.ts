import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { StoreError } from '../../../src/errors.js';
import { resolveConfig } from '../../../src/pipeline/config/resolve.js';
import { floatTensor } from '../../../src/pipeline/stages/context.js';
import { encodeManifest } from '../../../src/pipeline/store/manifest.js';
import { RunFolder } from '../../../src/pipeline/store/runFolder.js';
import { encodeSafetensors } from '../../../src/pipeline/store/safetensors.js';
import { RunWatcher } from '../../../src/pipeline/watch/snapshot.js';
import { leaveTrail } from '../../../src/pipeline/watch/trail.js';

const config = resolveConfig({ preset: 'tiny-test', sets: [] });
const facts = { command: 'hypergrad run --preset tiny-test', image: [1, 7, 7] } as const;

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hypergrad-watch-'));
  write('config.yaml', stringify(config));
  finish();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, content: string | Uint8Array) => writeFileSync(join(folder, name), content);
/** Enters stages as finished. */
const finish = (...stages: string[]) =>
  write(
    'manifest.json',
    encodeManifest(new Map(stages.map((name) => [name, { inputs: '0'.repeat(64), artefacts: {} }]))),
  );
const every = ['teacher', 'targets', 'experts', 'subset', 'distil', 'evaluate'];
const look = async () => (await RunWatcher.open(folder)).look();
const images = (count: number, shaped = true) =>
  encodeSafetensors(
    new Map([
      [
        'images',
        shaped
          ? floatTensor(new Float32Array(count * 49).fill(count), count, 1, 7, 7)
          : floatTensor(new Float32Array(count * 49), count * 49),
      ],
    ]),
  );

describe('RunWatcher', () => {
  it('sees a running stage with its steps, speed, losses and α, without taking the lock', async () => {
    const held = await RunFolder.open(folder);
    let now = 0;
    const trail = leaveTrail(folder, facts, () => now);
    for (const stage of ['teacher', 'targets', 'experts', 'subset'] as const) trail.skipped(stage);
    trail.started('distil', 4, 'iterations');
    trail.advanced('distil', 1, 0.5);
    now = 2000;
    trail.advanced('distil', 2, 0.25);
    finish('teacher', 'targets', 'experts', 'subset', 'distil');
    write('events.jsonl', '{"stage":"distil","iteration":0,"loss":0.5,"innerStep":0.1}\n');
    // Until what is under way is written.
    await expect.poll(async () => (await look()).stages[4]?.done).toBe(2);
    const run = await look();
    expect(run).toMatchObject({ state: 'running', exitCode: null, command: facts.command, report: null });
    expect(run.stages.map(({ state }) => state)).toEqual([...Array(4).fill('skipped'), 'running', 'waiting']);
    expect(run.stages[4]).toMatchObject({ done: 2, total: 4, perSecond: 0.5, secondsLeft: 4, loss: 0.5 });
    expect(run.curve).toEqual({ stage: 'distil', steps: [1], losses: [0.5] });
    expect(run.innerStep).toEqual({ first: 0.1, latest: 0.1 });
    await trail.end();
    await held.close();
  });

  it('sees from events alone how a run goes that leaves no trail, and measures its speed between looks', async () => {
    const held = await RunFolder.open(folder);
    finish('teacher', 'targets');
    write('events.jsonl', '{"stage":"experts","expert":0,"epoch":1,"loss":0.5}\n');
    const watcher = await RunWatcher.open(folder);
    const first = (await watcher.look()).stages[2];
    expect(first).toMatchObject({ name: 'experts', state: 'running', done: 1, total: 6, perSecond: null });
    write(
      'events.jsonl',
      '{"stage":"experts","expert":0,"epoch":1,"loss":0.5}\n{"stage":"experts","expert":1,"epoch":1,"loss":0.25}\n',
    );
    const second = (await watcher.look()).stages[2];
    expect(second).toMatchObject({ done: 4, loss: 0.25 });
    expect(second?.perSecond).toBeGreaterThan(0);
    await held.close();
  });

  it('sees a finished run, its report and its times', async () => {
    finish(...every);
    write('result.json', '{}');
    write('report.html', '');
    write('timings.json', '{"teacher":1.5}');
    expect(await look()).toMatchObject({
      state: 'finished',
      exitCode: 0,
      report: join(folder, 'report.html'),
      stages: [{ name: 'teacher', seconds: 1.5 }, {}, {}, {}, {}, {}],
    });
  });

  it('does not take the result of an earlier run for that of one which is not finished', async () => {
    finish('teacher');
    write('result.json', '{}');
    expect(await look()).toMatchObject({ state: 'stopped', exitCode: 1, message: null });
  });

  it('tells how a run ended, and takes a dead owner for none', async () => {
    const trail = leaveTrail(folder, facts);
    trail.started('teacher', 5, 'steps');
    await trail.end(new StoreError('The disk is full.'));
    // As one leaves it that was killed, on this machine or another.
    mkdirSync(join(folder, '.lock'));
    write('.owner-000000000000-1', '');
    utimesSync(join(folder, '.lock'), new Date(0), new Date(0));
    const run = await look();
    expect(run).toMatchObject({ state: 'stopped', exitCode: 6, message: 'The disk is full.' });
    expect(run.stages[0]).toMatchObject({ name: 'teacher', state: 'stopped' });
  });

  it('shows the newest images that there are, and the result when it is there', async () => {
    expect((await look()).images).toBeNull();
    mkdirSync(join(folder, 'snapshots'));
    write('snapshots/synthetic-000002.safetensors', images(2));
    write('snapshots/synthetic-000004.safetensors', images(3));
    expect((await look()).images).toMatchObject({ count: 3, image: [1, 7, 7] });
    write('checkpoint-distil.safetensors', images(5, false));
    utimesSync(join(folder, 'snapshots/synthetic-000004.safetensors'), new Date(0), new Date(0));
    expect((await look()).images).toMatchObject({
      count: 5,
      image: [1, 7, 7],
      file: 'checkpoint-distil.safetensors',
    });
    // An older run's, until the distillation is done.
    write('synthetic.safetensors', images(7));
    expect((await look()).images?.count).toBe(5);
    finish(...every);
    expect((await look()).images?.count).toBe(7);
  });

  it('shows none where the files are cut short', async () => {
    finish(...every);
    write('synthetic.safetensors', images(7).subarray(0, -4));
    expect((await look()).images).toBeNull();
  });

  it('refuses a folder that holds no run', async () => {
    await expect(RunWatcher.open(join(folder, 'nowhere'))).rejects.toThrow(/is not the folder of a run/);
    rmSync(join(folder, 'config.yaml'));
    await expect(RunWatcher.open(folder)).rejects.toThrow(StoreError);
  });
});
