import { expect, it } from 'vitest';
import { countSteps } from '../../src/cli/steps.js';

it('counts steps, and says from the second on how long the rest takes at that speed', () => {
  const lines: string[] = [];
  let now = 5000;
  const begin = countSteps(
    3,
    (text) => lines.push(text),
    () => now,
  );
  begin('one');
  now += 2000;
  begin('two');
  now += 4000;
  begin('three');
  expect(lines).toEqual(['one (1 of 3)', 'two (2 of 3, about 4 s left)', 'three (3 of 3, about 3 s left)']);
});
