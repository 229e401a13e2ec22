import { describe, expect, it } from 'vitest';
import { unitsOf } from '../../../src/autograd/tune/units.js';
import { presetNames, resolveConfig } from '../../../src/pipeline/config/resolve.js';
import { presetTapes } from '../../../src/pipeline/tune/presetTapes.js';
import { targetWith } from '../../support/lowered.js';

describe('a preset’s tapes', () => {
  it.each(presetNames)('of %s need no data, and launch every kind of heavy kernel', (preset) => {
    const tapes = presetTapes(resolveConfig({ preset, sets: [] }));
    expect(tapes.map(({ name }) => name)).toEqual([
      "teacher's step",
      "expert's step",
      'inner step',
      'its way back',
    ]);
    for (const { runs } of tapes) expect(runs).toBeGreaterThan(0);
    const kernels = new Set(unitsOf(tapes, targetWith()).flatMap((unit) => [...unit.kernels]));
    for (const name of ['conv2d', 'conv2dWeightGrad', 'matmul', 'elementwise', 'reduce']) {
      expect(kernels).toContain(name);
    }
  });

  it('count the steps that a run takes', () => {
    const config = resolveConfig({ preset: 'tiny-test', sets: [] });
    const runs = Object.fromEntries(presetTapes(config).map((tape) => [tape.name, tape.runs]));
    // 2 experts of 3 epochs of 200 images in batches of 20; 4 iterations of 2 steps.
    expect(runs).toEqual({ "teacher's step": 5, "expert's step": 60, 'inner step': 8, 'its way back': 8 });
  });

  it('do without a count of images that only the files know', () => {
    const config = resolveConfig({ preset: 'tiny-test', sets: ['data.train=null'] });
    for (const { tape } of presetTapes(config)) expect(tape.operations.length).toBeGreaterThan(10);
  });
});
