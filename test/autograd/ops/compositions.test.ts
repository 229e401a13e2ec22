/** Operations composed of those of the table: their derivatives, also the third, and the device. */
import fc from 'fast-check';
import { describe, it } from 'vitest';
import {
  expectFirstDerivatives,
  expectSecondDerivatives,
  expectThirdDerivatives,
} from '../../support/derivatives.js';
import { useDevice } from '../../support/device.js';
import { expectSameOnDevice } from '../../support/onDevice.js';
import { BLOCKS, TINY } from '../../support/operations/case.js';
import { compositionProperties } from '../../support/operations/compositions.js';
import { functionProperties } from '../../support/operations/functions.js';

const openedDevice = useDevice();
const RUNS = { seed: 20_240_103, numRuns: 30 };

describe.each(compositionProperties(TINY).map(({ operation, cases }) => [operation, cases] as const))(
  '%s',
  (_, cases) => {
    it('has the first derivative that central differences give', () => {
      fc.assert(fc.property(cases, expectFirstDerivatives), RUNS);
    });

    it('has the second derivative that central differences give', () => {
      fc.assert(fc.property(cases, expectSecondDerivatives), RUNS);
    });
  },
);

describe('on the device each composition gives what its float64 references give', () => {
  it.each(compositionProperties(BLOCKS).map(({ operation, cases }) => [operation, cases] as const))(
    '%s',
    async (_, cases) => {
      const settings = { seed: 20_240_104, numRuns: 12, endOnFailure: true };
      const run = fc.asyncProperty(cases, async (tried) => expectSameOnDevice(await openedDevice(), tried));
      await fc.assert(run, settings);
    },
  );
});

describe('the third derivative is the one that central differences give', () => {
  const smooth = /^(pow|powNumber|sin|cos|tanh|sigmoid|softplus|erf|expm1|log1p)$/;
  const curved =
    /^(gelu|gelu by tanh|silu|variance|standardDeviation|norm|l2Normalise|logSumExp|softmax|logSoftmax)$/;
  const properties = [
    ...functionProperties(TINY).filter(({ operation }) => smooth.test(operation)),
    ...compositionProperties(TINY).filter(({ operation }) => curved.test(operation)),
  ];
  it.each(properties.map(({ operation, cases }) => [operation, cases] as const))('%s', (_, cases) => {
    fc.assert(fc.property(cases, expectThirdDerivatives), { ...RUNS, numRuns: 15 });
  });
});
