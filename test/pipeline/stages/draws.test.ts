import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawBatches, drawStart, startEpochsAt } from '../../../src/pipeline/stages/draws.js';

describe('batches of an unroll', () => {
  it('use every image once before any is used again, a short last chunk included', () => {
    fc.assert(
      fc.property(
        fc.record({
          seed: fc.nat(1000),
          iteration: fc.nat(50),
          count: fc.integer({ min: 1, max: 40 }),
          batch: fc.integer({ min: 1, max: 20 }),
          steps: fc.integer({ min: 1, max: 30 }),
        }),
        ({ seed, iteration, count, batch, steps }) => {
          const batches = drawBatches(seed, iteration, count, batch, steps);
          expect(batches).toHaveLength(steps);
          const perRound = Math.ceil(count / batch);
          for (let round = 0; (round + 1) * perRound <= steps; round++) {
            const used = batches.slice(round * perRound, (round + 1) * perRound).flatMap((each) => [...each]);
            expect(used.sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, k) => k));
          }
        },
      ),
      { seed: 1, numRuns: 100 },
    );
  });

  it('differ from iteration to iteration and repeat with the seed', () => {
    expect(drawBatches(1, 0, 40, 20, 4)).toEqual(drawBatches(1, 0, 40, 20, 4));
    expect(drawBatches(1, 0, 40, 20, 4)).not.toEqual(drawBatches(1, 1, 40, 20, 4));
    expect(drawBatches(1, 0, 40, 20, 4)).not.toEqual(drawBatches(2, 0, 40, 20, 4));
  });
});

describe('the start of an iteration', () => {
  it('is drawn from all experts and all start epochs', () => {
    const draws = Array.from({ length: 200 }, (_, iteration) => drawStart(1, iteration, 5, 3));
    expect(new Set(draws.map(({ expert }) => expert))).toEqual(new Set([0, 1, 2, 3, 4]));
    expect(new Set(draws.map(({ startEpoch }) => startEpoch))).toEqual(new Set([0, 1, 2]));
    // Fifteen pairs in two hundred draws: all of them, unless the two draws hang together.
    expect(new Set(draws.map(({ expert, startEpoch }) => `${expert} ${startEpoch}`)).size).toBe(15);
  });
});

describe('the start epochs of an iteration', () => {
  const growing = { startEpochs: 7, startEpochsFrom: 2, startEpochsOver: 10, iterations: 40 };

  it('are all of them from the first iteration on where they are not to grow', () => {
    expect(startEpochsAt({ ...growing, startEpochsFrom: null }, 0)).toBe(7);
  });

  it('grow linearly in whole numbers, and stay when they are all there', () => {
    const counts = Array.from({ length: 14 }, (_, iteration) => startEpochsAt(growing, iteration));
    expect(counts).toEqual([2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 7, 7]);
  });

  it('grow over all iterations where no number of them is given', () => {
    const over = { ...growing, startEpochsOver: null };
    expect([0, 8, 39, 40].map((iteration) => startEpochsAt(over, iteration))).toEqual([2, 3, 6, 7]);
  });
});
