import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classBalanced } from '../../../src/pipeline/stages/starts.js';

describe('a class-balanced start', () => {
  it('takes the hardest of each class, as many of each where they divide', () => {
    const labels = Int32Array.of(0, 0, 0, 1, 1, 1, 2, 2, 2);
    const losses = Float32Array.of(1, 9, 5, 0.1, 0.3, 0.2, 4, 4, 8);
    expect([...classBalanced(losses, labels, 6)]).toEqual([1, 4, 8, 2, 5, 6]);
    expect([...classBalanced(losses, labels, 4)]).toEqual([1, 4, 8, 2]);
  });

  it('takes more of the others where a class has no more', () => {
    const labels = Int32Array.of(0, 1, 1, 1, 5);
    expect([...classBalanced(Float32Array.of(1, 2, 3, 4, 5), labels, 4)]).toEqual([0, 3, 4, 2]);
  });

  it('never takes an image twice, and no class less hard images than it leaves', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ loss: fc.nat(20), label: fc.nat(4) }), { minLength: 1, maxLength: 40 }),
        fc.nat(40),
        (images, wanted) => {
          const losses = Float32Array.from(images, ({ loss }) => loss);
          const labels = Int32Array.from(images, ({ label }) => label);
          const taken = classBalanced(losses, labels, Math.min(wanted, images.length));
          expect(new Set(taken).size).toBe(Math.min(wanted, images.length));
          for (const label of new Set(labels)) {
            const all = [...images.keys()].filter((image) => labels[image] === label);
            const mine = all.filter((image) => taken.includes(image));
            const easiest = Math.min(...mine.map((image) => losses[image]!));
            for (const image of all) {
              if (!taken.includes(image)) expect(losses[image]).toBeLessThanOrEqual(easiest);
            }
          }
        },
      ),
      { seed: 1, numRuns: 100 },
    );
  });
});
