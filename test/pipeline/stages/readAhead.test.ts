import { describe, expect, it } from 'vitest';
import { readAhead } from '../../../src/pipeline/stages/readAhead.js';

describe('reading ahead', () => {
  it('gives every item in order, and has begun the next one while one is used', async () => {
    const begun: number[] = [];
    const seen: [number, number[]][] = [];
    const read = async (index: number): Promise<number> => {
      begun.push(index);
      return index;
    };
    for await (const item of readAhead(4, read)) seen.push([item, [...begun]]);
    expect(seen).toEqual([
      [0, [0, 1]],
      [1, [0, 1, 2]],
      [2, [0, 1, 2, 3]],
      [3, [0, 1, 2, 3]],
    ]);
  });

  it('gives none of none', async () => {
    for await (const item of readAhead(0, async (index) => index)) expect(item).toBeUndefined();
  });

  it('fails where the failed item is wanted, not before', async () => {
    const seen: number[] = [];
    const read = async (index: number): Promise<number> => {
      if (index === 2) throw new Error('unreadable');
      return index;
    };
    await expect(
      (async () => {
        for await (const item of readAhead(5, read)) {
          // Long enough for a failure that nobody waits for to be told as one.
          await new Promise((resolve) => setTimeout(resolve, 1));
          seen.push(item);
        }
      })(),
    ).rejects.toThrow('unreadable');
    expect(seen).toEqual([0, 1]);
  });
});
