import { describe, expect, it } from 'vitest';
import { splitTape } from '../../../src/autograd/splitTape.js';
import { selectOutputs } from '../../../src/autograd/tapeTransforms.js';
import {
  forwardOutputs,
  reverseOutputs,
  type StepDescription,
  stepTape,
} from '../../../src/autograd/unroll/tapes.js';
import { sgd } from '../../../src/nn/optimisers/sgd.js';
import { regression } from '../../support/tinyUnroll.js';

const description: StepDescription = {
  problem: regression,
  optimiser: sgd(),
  wrt: ['images', 'targets', 'learningRate'],
  perStep: [],
};
const step = stepTape(description, 3);

describe('the tape of a step', () => {
  it('gathers the θ-gradient of all layers into one vector, without sums of mostly empty ones', () => {
    for (const outputs of [forwardOutputs(description), reverseOutputs(description)]) {
      const tape = selectOutputs(step, outputs);
      const packs = tape.operations.filter(({ name }) => name === 'pack');
      expect(packs.length).toBeGreaterThan(0);
      for (const { id, inputs } of packs) {
        expect(inputs).toHaveLength(6);
        const users = tape.operations.filter((operation) => operation.inputs.includes(id));
        expect(
          users.map(({ inputs }) => inputs.map((input) => tape.operations[input]!.name)),
        ).not.toContainEqual(['pack', 'pack']);
      }
    }
  });

  it('reads only what each way needs', () => {
    const forward = selectOutputs(step, forwardOutputs(description));
    expect(Object.keys(forward.inputs).sort()).toEqual([
      'batch',
      'hyper.learningRate',
      'state.theta',
      'table.images',
      'table.targets',
    ]);
  });

  it('splits so that no convolution or norm of the way forward is computed again on the way back', () => {
    const count = (operations: readonly { name: string }[]): Record<string, number> => {
      const counts: Record<string, number> = {};
      for (const { name } of operations) counts[name] = (counts[name] ?? 0) + 1;
      return counts;
    };
    const late = Object.keys(step.inputs).filter((name) => /^(adjoint|gradient)\./.test(name));
    const wanted = [...forwardOutputs(description), ...reverseOutputs(description)];
    const split = splitTape(step, late, wanted);
    const whole = count(selectOutputs(step, wanted).operations);
    const [early, back] = [count(split.early.operations), count(split.late.operations)];
    for (const name of [
      'conv2d',
      'conv2dInputGrad',
      'conv2dWeightGrad',
      'matmul',
      'standardiseRows',
      'projectRows',
    ]) {
      expect((early[name] ?? 0) + (back[name] ?? 0), name).toBe(whole[name] ?? 0);
    }
  });
});
