import { describe, expect, it } from 'vitest';
import { uploadRange } from '../../../src/autograd/compile/bufferRange.js';
import { KeptSet, SmoothedLoss } from '../../../src/pipeline/stages/bestSet.js';
import { useDevice } from '../../support/device.js';

const device = useDevice();

describe('the smoothed loss', () => {
  it('is the mean over the window up to an iteration, and is there from the first whole window on', () => {
    const smoothed = new SmoothedLoss(3);
    const values = [3, 6, 0, 3, 9].map((loss, i) => smoothed.add(i, loss, 0.1).smoothedLoss);
    expect(values).toEqual([null, null, 3, 3, 4]);
  });

  it('has its minimum at the earliest of the smallest, with the inner step of that iteration', () => {
    const smoothed = new SmoothedLoss(2);
    const isBest = [4, 2, 2, 1, 2, 8].map((loss, i) => smoothed.add(i, loss, i / 10).isBest);
    expect(isBest).toEqual([false, true, true, true, false, false]);
    expect(smoothed.best).toEqual({ iteration: 3, smoothedLoss: 1.5, innerStep: 0.3 });
  });

  it('is not led by one low loss among high ones', () => {
    const smoothed = new SmoothedLoss(3);
    for (const [i, loss] of [5, 2.5, 5, 3, 3, 3].entries()) smoothed.add(i, loss, i);
    expect(smoothed.best?.iteration).toBe(5);
  });
});

describe('a kept set', () => {
  it('is the set as it was set aside, not as it has become since', async () => {
    const opened = await device();
    const range = uploadRange(opened, Float32Array.of(1, 2, 3), 'live');
    const kept = new KeptSet(opened, [range], true);
    const read = async () => {
      const { buffer, offset, bytes } = kept.ranges[0]!;
      return [...new Float32Array(await opened.read(buffer, offset, bytes))];
    };
    kept.setAside();
    opened.write(range.buffer, Float32Array.of(4, 5, 6));
    kept.keep();
    expect(await read()).toEqual([1, 2, 3]);
    kept.setAside();
    opened.write(range.buffer, Float32Array.of(7, 8, 9));
    expect(await read()).toEqual([1, 2, 3]);
    kept.keep();
    expect(await read()).toEqual([4, 5, 6]);
    kept.release();
    opened.releaseBuffer(range.buffer);
  });
});
