/** Every operation of the table on the device, against its float64 reference. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { operationNames } from '../../../src/autograd/ops/index.js';
import { useDevice } from '../../support/device.js';
import { expectSameOnDevice } from '../../support/onDevice.js';
import { allProperties } from '../../support/operations/all.js';
import { BLOCKS } from '../../support/operations/case.js';

const openedDevice = useDevice();
const properties = allProperties(BLOCKS);
/** Operations whose kernels have the most special cases. */
const MANY_CASES = /^conv2d|^matmul|Pool2d|^sum/;

it('every operation of the table is tried', () => {
  expect(properties.map(({ operation }) => operation).sort()).toEqual([...operationNames].sort());
});

describe('on the device each operation gives what its float64 reference gives', () => {
  it.each(properties.map(({ operation, cases }) => [operation, cases] as const))(
    '%s',
    async (operation, cases) => {
      const numRuns = MANY_CASES.test(operation) ? 40 : 12;
      // Shrinking would compile hundreds of kernels; the parameters shown are small enough to read.
      const settings = { seed: 20_240_102, numRuns, endOnFailure: true };
      await fc.assert(
        fc.asyncProperty(cases, async (tried) => expectSameOnDevice(await openedDevice(), tried)),
        settings,
      );
    },
  );
});
