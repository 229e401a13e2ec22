import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inputs, judge, makeScratch, type Outcome } from './fuzz.js';
import { readers } from './readers.js';

const COUNT = 3000;
/** `npm run test:fuzz` draws from others too. */
const SEED = 7;

let scratch: string;
beforeAll(async () => {
  scratch = await makeScratch();
});
afterAll(() => rm(scratch, { recursive: true }));

describe('every reader of files from outside', () => {
  const keys = [...inputs(COUNT, SEED)];
  it.each(readers.map(({ name }) => name))(
    'takes or refuses in words, within a second, whatever is given as %s',
    async (name) => {
      const outcomes: Outcome[] = [];
      for (const key of keys) if (key.reader === name) outcomes.push(await judge(key, scratch));
      expect(outcomes.filter(({ fault }) => fault !== null)).toEqual([]);
      // Whoever refuses all, or takes all, is not being tested.
      const accepted = outcomes.filter((outcome) => outcome.accepted).length;
      expect(accepted).toBeGreaterThan(0);
      expect(accepted).toBeLessThan(outcomes.length);
    },
  );
});
