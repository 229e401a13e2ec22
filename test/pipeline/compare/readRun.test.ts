import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { StoreError } from '../../../src/errors.js';
import { readRun } from '../../../src/pipeline/compare/readRun.js';
import { resolveConfig } from '../../../src/pipeline/config/resolve.js';
import { encodeEvaluation, evaluationOf } from '../../../src/pipeline/evaluate/record.js';

let scratch = '';
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hypergrad-compare-'));
});
afterAll(() => rm(scratch, { recursive: true }));

const config = resolveConfig({ preset: 'tiny-test', seed: 7, sets: [] });
const evaluation = evaluationOf(
  { rows: [{ name: 'MKDT', labels: 0.05, accuracies: [0.5, 0.25] }], heldOut: [] },
  [],
);
const device = { name: 'Some GPU', kind: 'hardware', bundled: false, tuning: '0123' };
const finished = {
  'config.yaml': stringify(config),
  'evaluation.json': encodeEvaluation(evaluation),
  'result.json': JSON.stringify({ device, dataset: 'mnist', seconds: {} }),
};

async function folderOf(name: string, files: Record<string, string>): Promise<string> {
  const folder = join(scratch, name);
  await mkdir(folder);
  for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text);
  return folder;
}

describe('readRun', () => {
  it('reads configuration, device and evaluation, and leaves the folder alone', async () => {
    const folder = await folderOf('finished', finished);
    expect(await readRun(folder)).toEqual({
      name: folder,
      config,
      device: 'Some GPU, tuning 0123',
      evaluation,
    });
    expect((await readdir(folder)).sort()).toEqual(Object.keys(finished).sort());
  });

  it.each(Object.keys(finished))('says that a run without %s is not finished', async (missing) => {
    const files = Object.fromEntries(Object.entries(finished).filter(([name]) => name !== missing));
    const folder = await folderOf(`without-${missing}`, files);
    await expect(readRun(folder)).rejects.toThrow(StoreError);
    await expect(readRun(folder)).rejects.toThrow(
      `${missing} does not exist: ${folder} is not the folder of a finished run`,
    );
  });

  it('refuses an evaluation of another configuration, and a damaged result', async () => {
    const changed = stringify({ ...config, evaluate: { ...config.evaluate, seeds: 3 } });
    const folder = await folderOf('changed', { ...finished, 'config.yaml': changed });
    await expect(readRun(folder)).rejects.toThrow(/3 evaluation seeds: the run was changed and not finished/);
    const newer = JSON.stringify({ version: 2, device, dataset: 'mnist', seconds: {} });
    await expect(readRun(await folderOf('newer', { ...finished, 'result.json': newer }))).rejects.toThrow(
      /result\.json is of version 2, written by a newer hypergrad/,
    );
    const damaged = await folderOf('damaged', { ...finished, 'result.json': '{"device":{}}' });
    await expect(readRun(damaged)).rejects.toThrow(/result\.json is damaged/);
  });
});
