import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from '../../../src/autograd/compile/plan.js';
import { interpret } from '../../../src/autograd/interpret.js';
import { operationNames } from '../../../src/autograd/ops/index.js';
import { trace } from '../../../src/autograd/trace.js';
import { expectNear } from '../../support/compare.js';
import { useDevice } from '../../support/device.js';
import { allProperties } from '../../support/operations/all.js';
import { BLOCKS, type OperationCase } from '../../support/operations/case.js';

const openedDevice = useDevice();
const properties = allProperties(BLOCKS);
/** Operations whose kernels have the most special cases. */
const MANY_CASES = /^conv2d|^matmul|^avgPool|^sum/;

async function expectSameOnDevice({ inputs, build }: OperationCase): Promise<void> {
  const types = Object.fromEntries(Object.entries(inputs).map(([name, { type }]) => [name, type]));
  const values = Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, input.values]));
  const tape = trace(types, (tensors) => ({ y: build(tensors) }));
  const plan = await compile(tape, await openedDevice());
  try {
    const { y } = await plan.run(values);
    expectNear(y!, interpret(tape, values).y!);
  } finally {
    plan.release();
  }
}

it('every operation of the table is tried', () => {
  expect(properties.map(({ operation }) => operation).sort()).toEqual([...operationNames].sort());
});

describe('on the device each operation gives what its float64 reference gives', () => {
  it.each(properties.map(({ operation, cases }) => [operation, cases] as const))(
    '%s',
    async (operation, cases) => {
      const numRuns = MANY_CASES.test(operation) ? 40 : 12;
      // Shrinking would compile hundreds of kernels; the parameters shown are small enough to read.
      const settings = { seed: 20_240_102, numRuns, endOnFailure: true };
      await fc.assert(fc.asyncProperty(cases, expectSameOnDevice), settings);
    },
  );
});
