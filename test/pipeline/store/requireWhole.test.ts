import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { hashInputs } from '../../../src/pipeline/store/manifest.js';
import { requireWhole } from '../../../src/pipeline/store/requireWhole.js';
import { RunFolder } from '../../../src/pipeline/store/runFolder.js';

let path = '';
let folder: RunFolder;
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'hypergrad-whole-'));
  folder = await RunFolder.open(path);
});
afterEach(async () => {
  await folder.close();
  await rm(path, { recursive: true });
});

const record = async (stage: string, content: string, after: readonly string[] = []): Promise<void> => {
  await folder.writeText(`${stage}.txt`, content);
  const artefacts = Object.fromEntries(after.map((name) => [name, folder.artefactHash(name)]));
  await folder.recordStage(stage, hashInputs(content), [`${stage}.txt`], { artefacts });
};

it('takes stages that were made from one another, and refuses one that is older than what it was made from', async () => {
  await record('teacher', 'a');
  await record('targets', 'b', ['teacher']);
  await record('distil', 'c', ['targets']);
  expect(() => requireWhole(folder, 'distil')).not.toThrow();
  await record('teacher', 'other');
  expect(() => requireWhole(folder, 'distil')).toThrow(
    /changed and not finished: what its stage teacher left is newer than targets/,
  );
  await record('teacher', 'a');
  await folder.forgetStage('targets');
  expect(() => requireWhole(folder, 'distil')).toThrow(
    /its stage targets is not done\. Give the run's command/,
  );
});

it('takes the word of a manifest that does not say what was read', async () => {
  await folder.writeText('distil.txt', 'c');
  await folder.recordStage('distil', hashInputs('c'), ['distil.txt']);
  expect(() => requireWhole(folder, 'distil')).not.toThrow();
  expect(() => requireWhole(folder, 'teacher')).toThrow(/its stage teacher is not done/);
});
