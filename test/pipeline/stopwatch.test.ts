import { expect, it } from 'vitest';
import { roundSeconds, stopwatch } from '../../src/pipeline/stopwatch.js';

it('counts laps, what an earlier process had worked, and nothing twice', () => {
  let now = 5000;
  const watch = stopwatch(() => now);
  watch.carry(3);
  now += 1000;
  expect(watch.current).toBe(4);
  expect(watch.lap()).toBe(4);
  now += 500;
  watch.restart();
  now += 2000;
  expect([watch.current, watch.total]).toEqual([2, 6]);
  expect(watch.lap()).toBe(2);
  expect([watch.current, watch.total]).toEqual([0, 6]);
});

it('keeps what was carried over where it begins to count later', () => {
  let now = 0;
  const watch = stopwatch(() => now);
  watch.carry(3);
  now += 1000;
  watch.restart();
  now += 10;
  expect(roundSeconds(watch.total)).toBe(3.01);
});
