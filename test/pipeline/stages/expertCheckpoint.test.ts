import { describe, expect, it } from 'vitest';
import { StoreError } from '../../../src/errors.js';
import type { Checkpoint } from '../../../src/pipeline/checkpoints.js';
import { captureExpert, expertOf } from '../../../src/pipeline/stages/expertCheckpoint.js';

describe('an expert in the middle of its training', () => {
  const training = { theta: Float32Array.of(5, 6), momentum: Float32Array.of(7, 8) };
  const expert = {
    ...{ expert: 3, epoch: 1, step: 4, training },
    trajectory: Float32Array.of(1, 2, 3, 4, 0, 0),
    losses: Float32Array.of(0.5, 0),
  };

  it('is the same after it was kept', () => {
    const { tensors, state } = captureExpert(expert);
    expect(expertOf({ done: 0, tensors, state }, 2, 2)).toEqual(expert);
  });

  it('of another size or from another stage is refused in words', () => {
    const kept = captureExpert(expert);
    const checkpoint: Checkpoint = { done: 0, ...kept };
    expect(() => expertOf(checkpoint, 2, 3)).toThrow(/checkpoint.*does not hold/);
    expect(() => expertOf(checkpoint, 3, 2)).toThrow(StoreError);
    expect(() => expertOf({ ...checkpoint, state: null }, 2, 2)).toThrow(StoreError);
    expect(() => expertOf({ ...checkpoint, tensors: new Map() }, 2, 2)).toThrow(StoreError);
  });
});
