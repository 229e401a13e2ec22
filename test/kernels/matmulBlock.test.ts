import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tuningFor } from '../../src/kernels/catalogue.js';
import { chooseMatmulBlock } from '../../src/kernels/matmulBlock.js';

const extents = fc.record({
  M: fc.integer({ min: 1, max: 600 }),
  INNER: fc.integer({ min: 1, max: 600 }),
  COLUMNS: fc.integer({ min: 1, max: 600 }),
});
const lanes = fc.constantFrom(1, 4, 8);

describe.each(['software', 'wideSoftware', 'hardware'] as const)(
  'the block of a matrix product (%s)',
  (name) => {
    const tuning = tuningFor(name);

    it('covers the sum by whole turns, in slices none of which is empty', () => {
      fc.assert(
        fc.property(extents, lanes, fc.boolean(), (given, width, maySplit) => {
          const { STEP, SLICES, INNER_PER_SLICE } = chooseMatmulBlock(given, tuning, width, maySplit);
          expect(given.INNER % STEP).toBe(0);
          expect(INNER_PER_SLICE % STEP).toBe(0);
          expect(SLICES * INNER_PER_SLICE).toBeGreaterThanOrEqual(given.INNER);
          expect((SLICES - 1) * INNER_PER_SLICE).toBeLessThan(given.INNER);
          if (!maySplit) expect(SLICES).toBe(1);
        }),
        { seed: 1 },
      );
    });

    it('stays within the registers that the table allows', () => {
      fc.assert(
        fc.property(extents, lanes, (given, width) => {
          const { ROW_BLOCK, COLUMN_BLOCK, STEP, shares } = chooseMatmulBlock(given, tuning, width, true);
          const { rows, columns, sums, terms } = tuning.matmulBlock;
          expect(ROW_BLOCK).toBeLessThanOrEqual(Math.min(rows, given.M));
          expect(COLUMN_BLOCK).toBeLessThanOrEqual(Math.min(columns, given.COLUMNS));
          expect(ROW_BLOCK * COLUMN_BLOCK).toBeLessThanOrEqual(sums);
          expect(ROW_BLOCK * COLUMN_BLOCK * STEP).toBeLessThanOrEqual(terms);
          if (width === 1) expect(shares).toBe(false);
        }),
        { seed: 2 },
      );
    });
  },
);

it('is as large as the table allows for a large product, whose rows the lanes share', () => {
  const { rows, columns } = tuningFor('software').matmulBlock;
  const large = { M: 384, INNER: 384, COLUMNS: 384 };
  expect(chooseMatmulBlock(large, tuningFor('software'), 4, true)).toMatchObject({
    ROW_BLOCK: rows,
    COLUMN_BLOCK: columns,
    SLICES: 1,
    shares: true,
  });
});

it('splits a long sum of few results', () => {
  expect(
    chooseMatmulBlock({ M: 2, INNER: 4096, COLUMNS: 3 }, tuningFor('software'), 4, true).SLICES,
  ).toBeGreaterThan(1);
});
