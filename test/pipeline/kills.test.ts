/** A few real kills; `npm run test:faults` has hundreds. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Bundle, bundle } from '../support/bundle.js';
import {
  type ChainOptions,
  killAndResume,
  killAt,
  runUndisturbed,
  type Undisturbed,
} from '../support/faults/killChain.js';
import { folderContents } from '../support/folderContents.js';

const SETS = [
  'teacher.steps=20',
  'experts.count=1',
  'distil.snapshots=2',
  'evaluate.rows=[mkdt]',
  'evaluate.seeds=1',
];

let built: Bundle;
let scratch = '';
let undisturbed: Undisturbed;
let expected: Record<string, string>;

const optionsOf = (name: string): ChainOptions => ({
  script: built.entry('victim'),
  run: { preset: 'tiny-test', sets: SETS, checkpointSeconds: 0 },
  folder: join(scratch, name),
});

beforeAll(async () => {
  built = await bundle({ victim: 'test/support/faults/victim.ts' });
  scratch = mkdtempSync(join(tmpdir(), 'hypergrad-kills-'));
  undisturbed = await runUndisturbed(optionsOf('undisturbed'));
  expected = folderContents(join(scratch, 'undisturbed'));
});
afterAll(async () => {
  await built.remove();
  rmSync(scratch, { recursive: true, force: true });
});

it('goes on after each kill, and ends with the bits of an undisturbed run', async () => {
  const options = optionsOf('killed');
  // The folder is locked, and nobody has said yet by whom.
  expect(await killAt(options, 'opening', { change: 0, of: '.lock', moment: 'after' })).toBe(true);
  // After its last step and before its artefact a stage has nothing left to compute, only its checkpoint to read.
  const before = (of: string) => ({ change: 0, of, moment: 'before' }) as const;
  expect(await killAt(options, 'teacher', before('teacher.safetensors'))).toBe(true);
  expect(await killAt(options, 'distil', before('synthetic.safetensors'))).toBe(true);
  const at = ['evaluate'] as const;
  const { history } = await killAndResume({ ...options, undisturbed, at, seed: 1, chain: 0, killsEach: 1 });
  expect(history).toHaveLength(1);
  expect(folderContents(options.folder), history.join('; ')).toEqual(expected);
});
