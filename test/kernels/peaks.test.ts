import { expect, it, vi } from 'vitest';
import { measurePeaks } from '../../src/kernels/peaks.js';
import { useDevice } from '../support/device.js';

const device = useDevice();

it('measures a device once, and gives back the memory that it took', async () => {
  const opened = await device();
  const taken = vi.spyOn(opened, 'acquireBuffer');
  const given = vi.spyOn(opened, 'releaseBuffer');
  const first = measurePeaks(opened);
  expect(measurePeaks(opened)).toBe(first);
  const { arithmeticRate, memoryRate } = await first;
  // A processor of this century calculates and copies at more than these.
  expect(arithmeticRate).toBeGreaterThan(1e8);
  expect(memoryRate).toBeGreaterThan(1e7);
  // Were the loop's chains not computed, a launch would take no time.
  expect(arithmeticRate).toBeLessThan(1e15);
  const buffers = taken.mock.results.map(({ value }) => value as GPUBuffer);
  expect(buffers.length).toBeGreaterThan(0);
  expect(new Set(given.mock.calls.map(([buffer]) => buffer))).toEqual(new Set(buffers));
});
