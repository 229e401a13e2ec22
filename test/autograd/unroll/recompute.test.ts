import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Unroll } from '../../../src/autograd/unroll/recompute.js';
import { ShapeError } from '../../../src/errors.js';
import { expectNear } from '../../support/compare.js';
import { useDevice } from '../../support/device.js';
import { inputs, regression } from '../../support/tinyUnroll.js';
import { unrollInFloat64 } from '../../support/unrollInFloat64.js';

const openedDevice = useDevice();
/** Float32 through three steps and back. */
const TOLERANCE = { relative: 2e-5, absolute: 1e-6 };

async function results(unroll: Unroll): Promise<Record<string, ArrayLike<number>>> {
  return {
    dImages: await unroll.read(unroll.dImages),
    dTargets: await unroll.read(unroll.dTargets!),
    dLearningRate: await unroll.read(unroll.dLearningRate),
    adjointAtStart: await unroll.adjointAtStart(),
    innerLosses: await unroll.innerLosses(),
    loss: [await unroll.loss()],
    end: await unroll.parametersAt(3),
  };
}

describe('Unroll', () => {
  let unroll: Unroll;

  beforeAll(async () => {
    const device = await openedDevice();
    unroll = await Unroll.create({ device, problem: regression, steps: 3, batchSizes: [3, 2] });
    device.write(unroll.images.buffer, inputs.images, unroll.images.offset);
    device.write(unroll.targets.buffer, inputs.targets, unroll.targets.offset);
    device.write(unroll.learningRate.buffer, Float32Array.of(inputs.learningRate));
  });

  afterAll(() => unroll.release());

  it('gives the hypergradient, the losses and the path of the float64 driver', async () => {
    unroll.submit(inputs);
    const got = await results(unroll);
    const want = unrollInFloat64(regression, inputs);
    const wanted = {
      dImages: want.dImages,
      dTargets: want.dTargets!,
      dLearningRate: [want.dLearningRate],
      adjointAtStart: want.adjointAtStart,
      innerLosses: want.innerLosses,
      loss: [want.loss],
      end: want.path[3]!,
    };
    for (const [name, values] of Object.entries(wanted)) expectNear(got[name]!, values, TOLERANCE, name);
  });

  it('keeps every step of the path', async () => {
    unroll.submit(inputs);
    const { path } = unrollInFloat64(regression, inputs);
    for (const [step, theta] of path.entries()) {
      expectNear(await unroll.parametersAt(step), theta, TOLERANCE, `step ${step}`);
    }
  });

  it('gives the same bits when it is submitted again, and others for other batches', async () => {
    unroll.submit(inputs);
    const first = await results(unroll);
    unroll.submit({ ...inputs, batches: [...inputs.batches].reverse() });
    const other = await results(unroll);
    unroll.submit(inputs);
    expect(await results(unroll)).toEqual(first);
    expect(other.dImages).not.toEqual(first.dImages);
  });

  it('refuses another number of batches, and a batch size that was not compiled', () => {
    const { batches } = inputs;
    expect(() => unroll.submit({ ...inputs, batches: batches.slice(1) })).toThrow(ShapeError);
    expect(() => unroll.submit({ ...inputs, batches: batches.slice(1) })).toThrow(/3 steps.*2 batches/);
    const odd = [batches[0]!, batches[1]!, Int32Array.of(0)];
    expect(() => unroll.submit({ ...inputs, batches: odd })).toThrow(/batch of 1; batch sizes are 3, 2/);
  });

  it('refuses parameters of another length', () => {
    expect(() => unroll.submit({ ...inputs, start: new Float32Array(7) })).toThrow(ShapeError);
    expect(() => unroll.submit({ ...inputs, target: new Float32Array(7) })).toThrow(ShapeError);
  });

  it('counts its memory: what it keeps of the path grows with the steps, the rest does not', async () => {
    const device = await openedDevice();
    const longer = await Unroll.create({ device, problem: regression, steps: 23, batchSizes: [3, 2] });
    const more = longer.memory - unroll.memory;
    longer.release();
    const theta = regression.parameters * 4;
    expect(more).toBeGreaterThanOrEqual(19 * theta);
    expect(more).toBeLessThanOrEqual(28 * theta);
  });
});
