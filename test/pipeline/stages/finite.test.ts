import { describe, expect, it } from 'vitest';
import { NumericsError } from '../../../src/errors.js';
import {
  lower,
  requireFinite,
  requireFiniteLosses,
  requireFiniteTensors,
} from '../../../src/pipeline/stages/finite.js';

const bad = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

describe('a watched number', () => {
  it.each(bad)('stops the run with its name when it is %s', (value) => {
    const check = () => requireFinite(value, 'the loss of the stage teacher at step 7', 'Lower it.');
    expect(check).toThrow(NumericsError);
    expect(check).toThrow(
      `Training diverged: the loss of the stage teacher at step 7 is ${value}. Lower it.`,
    );
  });

  it('passes where it is a number, however large', () => {
    for (const value of [0, -0, 1e308, -1e308, Number.MIN_VALUE]) requireFinite(value, 'it', '');
    requireFiniteLosses(Float32Array.of(1, 3e38, -1), () => '', '');
    requireFiniteTensors([['a', { dtype: 'F32', data: Float32Array.of(1, -3e38) }]], 'file', '');
    // Whole numbers have no NaN.
    requireFiniteTensors([['i', { dtype: 'I32', data: Int32Array.of(1, 2) }]], 'file', '');
  });

  it.each(bad)('names the first of several steps and elements that is %s', (value) => {
    const losses = Float32Array.of(1, 2, value, Number.NaN);
    expect(() => requireFiniteLosses(losses, (k) => `the loss at step ${k}`, '')).toThrow(
      `the loss at step 2 is ${value}`,
    );
    const tensors = [
      ['good', { dtype: 'F32', data: Float32Array.of(1) }],
      ['bad', { dtype: 'F32', data: losses }],
    ] as const;
    expect(() => requireFiniteTensors(tensors, 'a.safetensors', '')).toThrow(
      `element 2 of bad in a.safetensors, which is not written, is ${value}`,
    );
  });
});

describe('what usually helps', () => {
  const config = { teacher: { learningRate: 0.03, momentum: 0 }, distil: { pixels: { learningRate: 100 } } };

  it('names each setting with its value, and one to try', () => {
    expect(lower(config, 'teacher.learningRate', 'teacher.momentum', 'distil.pixels.learningRate')).toBe(
      'It usually helps to lower teacher.learningRate (now 0.03) or distil.pixels.learningRate (now 100): try --set teacher.learningRate=0.003.',
    );
  });

  it('says where nothing is left to lower, and is no help for a setting that there is not', () => {
    expect(lower(config, 'teacher.momentum')).toMatch(/nothing .* is left to lower/);
    expect(() => lower(config, 'teacher')).toThrow(TypeError);
  });
});
