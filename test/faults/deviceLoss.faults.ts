/** The device is lost in every stage, in each of the ways in which it can be under way there. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StageName } from '../../src/pipeline/progress.js';
import { countFaults } from '../support/faults/counts.js';
import { folderContents } from '../support/folderContents.js';
import { type Loss, recoveredRun } from '../support/recoveredRun.js';

const rows = 'randomEncoder, randomSubset, highLossSubset, mkdt, trajectoryMatchingOnSsl, allData, teacher';
/** Every stage that there is, the loops long enough to be lost in. */
const sets = [`evaluate.rows=[${rows}]`, 'teacher.steps=30', 'distil.iterations=6', 'distil.keep=best'];

const stages = [
  'teacher',
  'targets',
  'experts',
  'subset',
  'distil',
  'selfSupervisedExperts',
  'selfSupervised',
  'evaluate',
] as const satisfies StageName[];

/** A moment that every stage comes to. */
const moments = [
  ['from inside a hook on its progress', { at: 'hook', number: 1 }],
  ['under a submission', { at: 'submit', number: 3 }],
  ['while something is read back', { at: 'read', number: 2 }],
  ['while its kernels are compiled', { at: 'compile', number: 2 }],
] as const satisfies [string, Loss['moment']][];

let scratch = '';
let undisturbed: Record<string, string>;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hypergrad-losses-'));
  const path = join(scratch, 'undisturbed');
  await recoveredRun(path, { sets });
  undisturbed = folderContents(path);
}, 600_000);
afterAll(() => rm(scratch, { recursive: true, force: true }));

describe('a device that is lost once in each stage', () => {
  it.for(moments)(
    '%s leaves the bits of an undisturbed run',
    { timeout: 900_000 },
    async ([, moment], context) => {
      const path = join(scratch, moment.at);
      const losses = stages.map((stage): Loss => ({ stage, moment }));
      const { lines, opened } = await recoveredRun(path, { sets, losses });
      const lostIn = lines.map((line) => /in the stage (\w+)/.exec(line)?.[1]);
      expect(new Set(lostIn)).toEqual(new Set(stages));
      expect(opened).toBe(1 + lines.length);
      expect(folderContents(path)).toEqual(undisturbed);
      const counts: Record<string, number> = {};
      for (const stage of lostIn) counts[stage!] = (counts[stage!] ?? 0) + 1;
      countFaults(context, 'device losses', counts);
    },
  );
});
