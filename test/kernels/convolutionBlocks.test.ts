import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tuningFor } from '../../src/kernels/catalogue.js';
import { chooseConv2dBlock, chooseWeightGradBlock } from '../../src/kernels/convolutionBlocks.js';

const extents = fc.record({
  N: fc.integer({ min: 1, max: 300 }),
  C: fc.integer({ min: 1, max: 130 }),
  O: fc.integer({ min: 1, max: 130 }),
  K: fc.integer({ min: 1, max: 11 }),
  L: fc.integer({ min: 1, max: 11 }),
  HO: fc.integer({ min: 1, max: 65 }),
  WO: fc.integer({ min: 1, max: 65 }),
  SH: fc.integer({ min: 1, max: 3 }),
  SW: fc.integer({ min: 1, max: 3 }),
});
const lanes = fc.constantFrom(1, 4, 8, 16);
const classes = ['software', 'wideSoftware', 'hardware'] as const;

describe.each(classes)('the block of a convolution (%s)', (name) => {
  const tuning = tuningFor(name);

  it('stays within the registers that the table allows, whatever the extents', () => {
    fc.assert(
      fc.property(extents, lanes, (given, width) => {
        const { OUTPUTS, ROWS, PIXELS, WINDOW_ROWS } = chooseConv2dBlock(given, tuning, width);
        const { outputs, rows, pixels, sums, terms } = tuning.conv2d;
        expect(OUTPUTS).toBeLessThanOrEqual(Math.min(given.O, outputs));
        expect(ROWS).toBeLessThanOrEqual(Math.min(given.HO, rows));
        expect(PIXELS).toBeLessThanOrEqual(Math.min(given.WO, pixels));
        expect(OUTPUTS * ROWS * PIXELS).toBeLessThanOrEqual(sums);
        expect(OUTPUTS * ROWS * PIXELS * WINDOW_ROWS * given.L).toBeLessThanOrEqual(Math.max(terms, given.L));
      }),
      { seed: 1 },
    );
  });

  it('takes the window in whole turns', () => {
    fc.assert(
      fc.property(extents, lanes, (given, width) => {
        expect(given.K % chooseConv2dBlock(given, tuning, width).WINDOW_ROWS).toBe(0);
      }),
      { seed: 2 },
    );
  });

  it('stays within them for a weight gradient too, and shares only where there are lanes', () => {
    fc.assert(
      fc.property(extents, lanes, (given, width) => {
        const block = chooseWeightGradBlock(given, tuning, width);
        const { sums, terms } = tuning.conv2dWeightGrad;
        expect(block.OUTPUTS * block.TAP_ROWS * given.L).toBeLessThanOrEqual(Math.max(sums, given.L));
        expect(block.OUTPUTS * block.TAP_ROWS * given.L * block.ROWS * block.PIXELS).toBeLessThanOrEqual(
          Math.max(terms, given.L),
        );
        if (width === 1) expect(block.shares).toBe(false);
      }),
      { seed: 3 },
    );
  });
});

it('gives few invocations less each, so that all cores have work', () => {
  const tuning = tuningFor('software');
  const large = { N: 64, C: 16, O: 16, K: 3, L: 3, HO: 16, WO: 16, SH: 1, SW: 1 };
  const sumsOf = (N: number): number => {
    const { OUTPUTS, ROWS, PIXELS } = chooseConv2dBlock({ ...large, N }, tuning, 4);
    return OUTPUTS * ROWS * PIXELS;
  };
  expect(sumsOf(1)).toBeLessThan(sumsOf(64));
});

it('lets input channels share the cotangent of a weight gradient, but a single one not', () => {
  const tuning = tuningFor('software');
  const of = (C: number) =>
    chooseWeightGradBlock({ N: 32, C, O: 8, K: 3, L: 3, HO: 8, WO: 8, SH: 1, SW: 1 }, tuning, 4).shares;
  expect(of(8)).toBe(true);
  expect(of(1)).toBe(false);
});
