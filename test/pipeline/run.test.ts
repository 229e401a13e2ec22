import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Profile } from '../../src/autograd/profile/profile.js';
import { describeResult } from '../../src/cli/commands/run.js';
import { useTuning } from '../../src/kernels/deviceTuning.js';
import { resolveConfig } from '../../src/pipeline/config/resolve.js';
import { type Dataset, loadDataset } from '../../src/pipeline/data/dataset.js';
import { requireStages } from '../../src/pipeline/plan/requireStages.js';
import { describePlan } from '../../src/pipeline/plan/words.js';
import type { Progress } from '../../src/pipeline/progress.js';
import type { RunResult } from '../../src/pipeline/report/types.js';
import { runPipeline } from '../../src/pipeline/run.js';
import { RunFolder } from '../../src/pipeline/store/runFolder.js';
import { decodeSafetensors } from '../../src/pipeline/store/safetensors.js';
import { tuningName } from '../../src/pipeline/tune/tuningName.js';
import { useDevice } from '../support/device.js';
import { folderContents } from '../support/folderContents.js';

const device = useDevice();
let scratch = '';
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hypergrad-run-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

interface Finished {
  readonly path: string;
  readonly result: RunResult;
  readonly ran: string[];
  readonly skipped: string[];
  /** What the run said it would do, line by line. */
  readonly plan: string[];
}

async function run(
  name: string,
  sets: string[] = [],
  seed = 1,
  profiled?: (stage: string, profile: Profile) => void,
  change: (dataset: Dataset) => Dataset = (dataset) => dataset,
  force: readonly string[] = [],
): Promise<Finished> {
  const path = join(scratch, name);
  const folder = await RunFolder.open(path);
  const ran: string[] = [];
  const skipped: string[] = [];
  const plan: string[] = [];
  const progress: Progress = {
    started: (stage) => ran.push(stage),
    advanced() {},
    finished() {},
    skipped: (stage) => skipped.push(stage),
  };
  try {
    const config = resolveConfig({ preset: 'tiny-test', sets, seed });
    const dataset = change(await loadDataset(config.data, config.seed));
    const result = await runPipeline({
      config,
      dataset,
      folder,
      device: await device(),
      command: 'test',
      progress,
      force: requireStages(force, config),
      planned: (made) => plan.push(...describePlan(made)),
      ...(profiled === undefined ? {} : { profiled }),
    });
    return { path, result, ran, skipped, plan };
  } finally {
    await folder.close();
  }
}

/** What tables call the rows that are evaluated unless others are chosen. */
const rowNames = ['random encoder', 'random subset', 'high-loss subset', 'MKDT', 'all data', 'teacher'];
const stages = ['teacher', 'targets', 'experts', 'subset', 'distil', 'evaluate'];

describe('a run of the whole pipeline', () => {
  let first: Finished;
  beforeAll(async () => {
    first = await run('first');
  });

  it('runs every stage and leaves what it promises', async () => {
    expect(first.ran).toEqual(stages);
    expect(Object.keys(folderContents(first.path)).sort()).toEqual(
      [
        'config.yaml',
        'evaluation.json',
        'events.jsonl',
        'experts/expert-000.safetensors',
        'experts/expert-001.safetensors',
        'images.png',
        'manifest.json',
        'representations.safetensors',
        'standardisation.json',
        'subset.safetensors',
        'synthetic.safetensors',
        'targets.safetensors',
        'teacher.safetensors',
      ].sort(),
    );
    expect(await readFile(join(first.path, 'report.html'), 'utf8')).toContain('<html');
  });

  it('gives a row for each encoder and share of labels, and the seconds of each stage', () => {
    const { rows, seconds, trajectoryLoss, device: opened } = first.result;
    expect(rows.map(({ name, labels }) => [name, labels])).toEqual(
      rowNames.flatMap((name) => [0.05, 0.2].map((labels) => [name, labels])),
    );
    for (const { mean, deviation, seeds } of rows) {
      expect(mean).toBeGreaterThan(0);
      expect(mean).toBeLessThanOrEqual(1);
      expect(deviation).toBeGreaterThanOrEqual(0);
      expect(seeds).toBe(2);
    }
    expect(Object.keys(seconds)).toEqual(stages);
    expect(trajectoryLoss.last).toBeLessThan(trajectoryLoss.first);
    expect(opened.name).not.toBe('');
  });

  it('gives the same bits in every artefact, twice', async () => {
    const second = await run('second');
    expect(folderContents(second.path)).toEqual(folderContents(first.path));
    expect({ ...second.result, seconds: null }).toEqual({ ...first.result, seconds: null });
  });

  it('gives the same bits while it is profiled, and a profile of every stage', async () => {
    const profiles = new Map<string, Profile>();
    const profiled = await run('profiled', [], 1, (stage, profile) => profiles.set(stage, profile));
    expect(folderContents(profiled.path)).toEqual(folderContents(first.path));
    expect({ ...profiled.result, seconds: null }).toEqual({ ...first.result, seconds: null });
    expect([...profiles.keys()]).toEqual(stages);
    for (const { measured, deviceTime, duration } of profiles.values()) {
      expect(measured).toBeGreaterThan(0);
      expect(deviceTime).toBeGreaterThan(0);
      expect(deviceTime).toBeLessThan(duration);
    }
  });

  it('gives the same bits where the images stream from a file to the device', async () => {
    const streamed = folderContents((await run('streamed', ['data.memory=0'])).path);
    const { 'config.yaml': _, ...others } = streamed;
    expect(others).toEqual(
      Object.fromEntries(
        Object.entries(folderContents(first.path)).filter(([file]) => file !== 'config.yaml'),
      ),
    );
  });

  it('gives other bits for another seed', async () => {
    const other = await run('other-seed', [], 2);
    const [mine, theirs] = [folderContents(first.path), folderContents(other.path)];
    expect(theirs['synthetic.safetensors']).not.toBe(mine['synthetic.safetensors']);
    expect(theirs['teacher.safetensors']).not.toBe(mine['teacher.safetensors']);
  });

  it('skips every stage on a folder that is done, and leaves it as it was', async () => {
    const before = folderContents(first.path);
    const report = await readFile(join(first.path, 'report.html'), 'utf8');
    const again = await run('first');
    expect(again.skipped).toEqual(stages);
    expect(again.ran).toEqual([]);
    expect(folderContents(first.path)).toEqual(before);
    expect(await readFile(join(first.path, 'report.html'), 'utf8')).toBe(report);
  });

  it('skips every stage of a folder whose manifest is of version 1, and brings that up to date', async () => {
    const { path } = await run('migrated');
    const manifest = join(path, 'manifest.json');
    const { stages: records } = JSON.parse(await readFile(manifest, 'utf8'));
    for (const record of Object.values<{ reads?: unknown }>(records)) delete record.reads;
    await writeFile(manifest, JSON.stringify({ version: 1, stages: records }));
    expect((await run('migrated')).skipped).toEqual(stages);
    expect(folderContents(path)).toEqual(folderContents(first.path));
  });

  it('does without the seconds of earlier stages where their file is damaged', async () => {
    const { path } = await run('untimed');
    await writeFile(join(path, 'timings.json'), '{');
    expect((await run('untimed', ['evaluate.epochs=1'])).result.seconds).toEqual({
      evaluate: expect.any(Number),
    });
    expect(await readFile(join(path, 'report.html'), 'utf8')).not.toContain('NaN');
  });

  it('runs again just the stages that a changed setting reaches', async () => {
    await run('changed');
    const evaluated = await run('changed', ['evaluate.epochs=1']);
    expect(evaluated.ran).toEqual(['evaluate']);
    expect(evaluated.plan).toEqual([
      'teacher, targets, experts, subset, distil: done',
      'evaluate: runs again: evaluate.epochs was 2 and is 1',
    ]);
    const distilled = await run('changed', ['distil.iterations=3', 'evaluate.epochs=1']);
    expect(distilled.ran).toEqual(['distil', 'evaluate']);
    expect(distilled.plan).toEqual([
      'teacher, targets, experts, subset: done',
      'distil: runs again: distil.iterations was 4 and is 3',
      'evaluate: runs again if distil leaves other bytes than before',
    ]);
    const events = (await readFile(join(scratch, 'changed', 'events.jsonl'), 'utf8')).trim().split('\n');
    expect(events.filter((line) => line.includes('"stage":"distil"'))).toHaveLength(3);
  });

  it('runs a stage that is forced anew, its parts too, and ends with the same folder', async () => {
    await run('forced');
    const written = (await stat(join(scratch, 'forced', 'experts/expert-000.safetensors'))).mtimeMs;
    const forced = await run('forced', [], 1, undefined, undefined, ['teacher', 'experts']);
    expect(forced.ran).toEqual(['teacher', 'experts']);
    expect((await stat(join(scratch, 'forced', 'experts/expert-000.safetensors'))).mtimeMs).not.toBe(written);
    expect(folderContents(forced.path)).toEqual(folderContents(first.path));
  });

  it('trains just the experts that are added, and leaves what a run with all of them leaves', async () => {
    const few = await run('grown', ['experts.count=1']);
    expect(few.ran).toEqual(stages);
    const expert = 'experts/expert-000.safetensors';
    const written = (await stat(join(few.path, expert))).mtimeMs;
    expect((await run('grown')).ran).toEqual(['experts', 'subset', 'distil', 'evaluate']);
    expect((await stat(join(few.path, expert))).mtimeMs).toBe(written);
    expect(folderContents(few.path)).toEqual(folderContents(first.path));
  });

  it('runs every stage again on a device that was tuned meanwhile, and names the tuning in the result', async () => {
    const usual = await run('tuned');
    expect(usual.result.device).not.toHaveProperty('tuning');
    const opened = await device();
    try {
      useTuning(opened, { parallelism: 16, unroll: 2 });
      const tuned = await run('tuned');
      expect(tuned.ran).toEqual(stages);
      expect(tuned.result.device.tuning).toMatch(/^[0-9a-f]{16}$/);
      expect((await run('tuned')).skipped).toEqual(stages);
      useTuning(opened, { parallelism: 32, unroll: 2 });
      expect(tuningName(opened)).not.toBe(tuned.result.device.tuning);
    } finally {
      useTuning(opened, null);
    }
  });

  it('moves pixels, targets and the inner step', async () => {
    const bytes = await readFile(join(first.path, 'synthetic.safetensors'));
    const { tensors } = decodeSafetensors(bytes, 'synthetic');
    const data = (name: string) => tensors.get(name)!.data;
    expect(data('images')).not.toEqual(data('start.images'));
    expect(data('targets')).not.toEqual(data('start.targets'));
    expect(data('innerStep')[0]).not.toBeCloseTo(0.1, 6);
    expect(data('innerStep')[0]).toBeGreaterThan(0);
  });
});

it('measures only the distance to the teacher on data without labels', async () => {
  const { result, path } = await run('unlabelled', [], 1, undefined, (dataset) => ({
    ...dataset,
    classes: [],
    train: { ...dataset.train, labels: null },
    test: { ...dataset.test, labels: null },
  }));
  expect(result.rows).toEqual([]);
  expect(result.heldOutError.map(({ name }) => name)).toEqual(rowNames.filter((name) => name !== 'teacher'));
  for (const { mean } of result.heldOutError) expect(mean).toBeGreaterThan(0);
  const report = await readFile(join(path, 'report.html'), 'utf8');
  expect(report).toContain('The images have no labels: only the distance to the teacher is measured.');
  expect(describeResult(result)).toContain('no linear probe');
});

it('stops with one sentence when training diverges, and keeps what was finished before', async () => {
  await run('diverging');
  await expect(
    run('diverging', ['distil.innerStep.initial=100', 'distil.pixels.learningRate=1e9']),
  ).rejects.toThrow(/diverged.*distil/);
  const kept = folderContents(join(scratch, 'diverging'));
  // No report of other settings is left beside the new configuration.
  expect(await readdir(join(scratch, 'diverging'))).not.toContain('result.json');
  expect(Object.keys(kept)).toContain('experts/expert-001.safetensors');
  const again = await run('diverging');
  // Distillation runs again, and its bits are those that the evaluation has seen.
  expect(again.ran).toEqual(['distil']);
  expect(again.skipped).toEqual(['teacher', 'targets', 'experts', 'subset', 'evaluate']);
});
