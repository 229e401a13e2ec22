/**
 * Every single call by which a tiny run writes fails once: the disk is full, reports a fault of its own, or takes half of the bytes.
 * Each time the run stops with a clear sentence, and the same command again ends with the bits of a run that nothing disturbed.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useDevice } from '../support/device.js';
import { countFaults } from '../support/faults/counts.js';
import type { Call } from '../support/faultySystem.js';
import { faultOf, faultsOf, runDisturbed, runWithoutFault } from '../support/writeFaults.js';

const device = useDevice();
let scratch = '';
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hypergrad-writes-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** As few steps as show every kind of write more than once: each call is failed in a run of its own. */
const QUICK = [
  'teacher.steps=2',
  'experts.count=1',
  'experts.batch=100',
  'selfSupervised.experts.count=1',
  'selfSupervised.experts.batch=100',
  'selfSupervised.iterations=2',
  'distil.iterations=2',
  'distil.keep=best',
  'distil.snapshots=1',
  'evaluate.seeds=1',
];

/** Runs, and which of their calls fail. */
const runs: readonly (readonly [what: string, sets: readonly string[], fails: (call: Call) => boolean])[] = [
  ['all stages of the method', [...QUICK, 'evaluate.rows=[mkdt]'], () => true],
  [
    'the stages of its baseline',
    [...QUICK, 'evaluate.rows=[trajectoryMatchingOnSsl]'],
    ({ path }) => /self-supervised|selfSupervised/.test(path),
  ],
];

describe('a run of which one call fails that writes', () => {
  it.for(runs)(
    'stops, and ends with the same bits when it is run again: %s',
    async ([, sets, fails], context) => {
      const tiny = { device: await device(), folder: join(scratch, 'run'), sets };
      const { calls, contents } = await runWithoutFault(tiny);
      const chosen = calls.filter(fails);
      const counts: Record<string, number> = {};
      const faults: string[] = [];
      for (const call of chosen) {
        for (const fault of faultsOf(call)) {
          const what = `${call.name} of ${call.path.slice(scratch.length)} (${call.nth}), ${fault}`;
          const disturbed = await runDisturbed(tiny, call, fault);
          const wrong = faultOf(disturbed, call, fault);
          if (wrong !== null) faults.push(`${what}: ${wrong}`);
          if (!isDeepStrictEqual(disturbed.contents, contents)) faults.push(`${what}: other bits`);
          if (disturbed.isReached) counts[fault] = (counts[fault] ?? 0) + 1;
        }
      }
      expect(faults).toEqual([]);
      expect(chosen.length).toBeGreaterThan(0);
      countFaults(context, 'write faults', counts);
    },
  );
});
