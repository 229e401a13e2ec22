/** Every operation of the table: its derivatives of first and second order, and forward mode, against central differences. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gradient } from '../../../src/autograd/gradient.js';
import { operationNames } from '../../../src/autograd/ops/index.js';
import { sumAll } from '../../../src/autograd/ops/reduce.js';
import { trace } from '../../../src/autograd/trace.js';
import { ShapeError } from '../../../src/errors.js';
import {
  expectFirstDerivatives,
  expectForwardMode,
  expectSecondDerivatives,
  expectThirdDerivatives,
} from '../../support/derivatives.js';
import { allProperties } from '../../support/operations/all.js';
import { type OperationCase, TINY } from '../../support/operations/case.js';

const properties = allProperties(TINY);
const RUNS = { seed: 20_240_101, numRuns: 30 };

/** Inputs whose derivative is asked for and must be refused. */
function refuseDerivatives({ inputs, build }: OperationCase): void {
  const types = Object.fromEntries(Object.entries(inputs).map(([name, { type }]) => [name, type]));
  for (const name of Object.keys(inputs)) {
    const tape = () =>
      trace(types, (tensors) => ({ d: gradient(sumAll(build(tensors)), [tensors[name]!])[0]! }));
    expect(tape).toThrow(ShapeError);
  }
}

it('every operation of the table has a property', () => {
  expect(properties.map(({ operation }) => operation).sort()).toEqual([...operationNames].sort());
});

describe.each(properties.map(({ operation, cases }) => [operation, cases] as const))('%s', (_, cases) => {
  const [sample] = fc.sample(cases, { seed: 1, numRuns: 1 }) as [OperationCase];
  if (sample.differentiable.length === 0) {
    it('refuses to be differentiated rather than giving zeros', () => {
      fc.assert(fc.property(cases, refuseDerivatives), { ...RUNS, numRuns: 2 });
    });
    return;
  }
  it('has the first derivative that central differences give', () => {
    fc.assert(fc.property(cases, expectFirstDerivatives), RUNS);
  });

  it('moves forward as it flows back', () => {
    fc.assert(fc.property(cases, expectForwardMode), RUNS);
  });

  it('has the second derivative that central differences give', () => {
    fc.assert(fc.property(cases, expectSecondDerivatives), RUNS);
  });

  it('has the third derivative that central differences give', () => {
    fc.assert(fc.property(cases, expectThirdDerivatives), { ...RUNS, numRuns: 8 });
  });
});
