import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { resolveConfig } from '../../../src/pipeline/config/resolve.js';
import { encodeEvaluation, evaluationOf } from '../../../src/pipeline/evaluate/record.js';
import { readExportedSet } from '../../../src/pipeline/export/exportedSet.js';
import { floatTensor } from '../../../src/pipeline/stages/context.js';
import { encodeSafetensors } from '../../../src/pipeline/store/safetensors.js';

let run = '';
beforeAll(async () => {
  run = await mkdtemp(join(tmpdir(), 'hypergrad-exported-'));
  const tensors = {
    images: floatTensor(new Float32Array(8), 2, 1, 2, 2),
    targets: floatTensor(new Float32Array(2), 2, 1),
    innerStep: floatTensor(Float32Array.of(0.1), 1),
  };
  const table = { rows: [{ name: 'MKDT', labels: 0.05, accuracies: [0.5, 0.25] }], heldOut: [] };
  const files = {
    'config.yaml': stringify(resolveConfig({ preset: 'tiny-test', sets: [] })),
    'synthetic.safetensors': encodeSafetensors(new Map(Object.entries(tensors)), {}),
    'standardisation.json': JSON.stringify({ version: 1, mean: [0], deviation: [1] }),
    'evaluation.json': encodeEvaluation(evaluationOf(table, [])),
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(run, name), content);
});
afterAll(() => rm(run, { recursive: true, force: true }));

it('has the accuracies of a finished run alone: else they may be of an earlier set', async () => {
  expect((await readExportedSet(run)).rows).toEqual([]);
  await writeFile(join(run, 'result.json'), '{}');
  expect((await readExportedSet(run)).rows).toMatchObject([{ name: 'MKDT', mean: 0.375 }]);
});
