/** One call of each kind that writes fails; `npm run test:faults` has all of them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useDevice } from '../../support/device.js';
import type { Fault } from '../../support/faultySystem.js';
import { type FaultFreeRun, faultOf, runDisturbed, runWithoutFault } from '../../support/writeFaults.js';

const device = useDevice();
let scratch = '';
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hypergrad-writes-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** One call of each kind; `npm run test:faults` has all of them. */
const samples: readonly (readonly [name: string, file: RegExp, nth: number, fault: Fault])[] = [
  ['write', /experts\/expert-001/, 0, 'short'],
  ['write', /events\.jsonl/, 2, 'short'],
  ['sync', /checkpoint-distil/, 1, 'EIO'],
  ['remove', /checkpoint-teacher/, 0, 'EIO'],
  ['syncFolder', /run$/, 20, 'ENOSPC'],
  ['write', /report\.html/, 0, 'short'],
];

describe('a run of which one write fails', () => {
  let undisturbed: FaultFreeRun;
  beforeAll(async () => {
    undisturbed = await runWithoutFault({ device: await device(), folder: join(scratch, 'run'), sets: [] });
  });

  it.each(samples)(
    'stops at %s of %s (number %i, %s) with a clear sentence, and ends with the same bits when it is run again',
    async (name, file, nth, fault) => {
      const folder = join(scratch, 'run');
      const call = undisturbed.calls.filter((each) => each.name === name && file.test(each.path))[nth]!;
      const disturbed = await runDisturbed({ device: await device(), folder, sets: [] }, call, fault);
      expect(faultOf(disturbed, call, fault)).toBeNull();
      expect(disturbed.contents).toEqual(undisturbed.contents);
    },
  );
});
