/** Trainings of teachers and students that diverge: what stops them, and what they leave. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NumericsError } from '../../../src/errors.js';
import { resolveConfig } from '../../../src/pipeline/config/resolve.js';
import type { Config } from '../../../src/pipeline/config/schema.js';
import { loadDataset } from '../../../src/pipeline/data/dataset.js';
import { silentProgress } from '../../../src/pipeline/progress.js';
import { runPipeline } from '../../../src/pipeline/run.js';
import { RunFolder } from '../../../src/pipeline/store/runFolder.js';
import { useDevice } from '../../support/device.js';

const device = useDevice();

let scratch = '';
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hypergrad-training-divergence-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** What a run is ended with whose settings may be ones that no user can give. */
async function divergence(path: string, change: (config: Config) => Config): Promise<string> {
  const config = change(resolveConfig({ preset: 'tiny-test', sets: ['teacher.steps=20'], seed: 1 }));
  const dataset = await loadDataset(config.data, config.seed);
  const folder = await RunFolder.open(path);
  try {
    const opened = await device();
    const options = { config, dataset, folder, device: opened, command: 'test', progress: silentProgress };
    const error = await runPipeline({ ...options, checkpointSeconds: 0 }).then(
      () => new Error('it did not diverge'),
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(NumericsError);
    return (error as NumericsError).message;
  } finally {
    dataset.close();
    await folder.close();
  }
}

describe('training that diverges', () => {
  it('of the teacher stops it although ReLU may hide a θ that is none from the loss', async () => {
    const path = join(scratch, 'teacher');
    const message = await divergence(path, (config) => ({
      ...config,
      teacher: { ...config.teacher, optimiser: 'sgd', learningRate: 1e30 },
    }));
    const [, step] = /of the stage teacher (?:at|after) step (\d+) is/.exec(message)!;
    expect(Number(step)).toBeLessThanOrEqual(10);
    expect(message).toContain('teacher.learningRate (now 1e+30): try --set teacher.learningRate=1e+29');
    const left = await readdir(path);
    expect(left.filter((name) => /teacher.*safetensors/.test(name))).toEqual([]);
  });

  it('of an expert and of an evaluated student names stage, step and setting', async () => {
    const path = join(scratch, 'students');
    const experts = await divergence(path, (config) => ({
      ...config,
      experts: { ...config.experts, learningRate: 1e30 },
    }));
    expect(experts).toMatch(/expert 0's loss of the stage experts at step \d is .*experts\.learningRate/);
    const students = await divergence(path, (config) => ({
      ...config,
      evaluate: { ...config.evaluate, rows: ['randomSubset'], learningRate: 1e30 },
    }));
    expect(students).toMatch(
      /a student's loss of the row random subset of the stage evaluate, in repetition 0, at step \d is .*evaluate\.learningRate/,
    );
  });
});
