import { describe, expect, it } from 'vitest';
import { operationNames } from '../../../src/autograd/ops/index.js';
import { referenceOf } from '../../../src/autograd/ops/references.js';

describe('the float64 references', () => {
  it('are there for every operation', () => {
    expect(operationNames.length).toBeGreaterThan(50);
    for (const name of operationNames) expect(referenceOf(name), name).toBeTypeOf('function');
  });

  it('are refused for what is no operation', () => {
    expect(() => referenceOf('conv3d')).toThrow(/'conv3d'/);
  });
});
