import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../src/errors.js';
import { countingDevice } from '../../src/gpu/countingDevice.js';
import { placeTraining, releaseTraining } from '../../src/nn/deviceImages.js';
import { initialParameters } from '../../src/nn/model.js';
import { ObjectiveSteps } from '../../src/nn/objectiveSteps.js';
import { distillation } from '../../src/pipeline/objectives.js';
import { studentModel } from '../../src/pipeline/stages/context.js';
import { useDevice } from '../support/device.js';
import { tinyConfig, tinyContext, tinyTargets } from '../support/study.js';

const device = useDevice();
const key = { seed: 1, purpose: 'test', index: 0 };
const batches = [Int32Array.of(0, 3, 38), Int32Array.of(12, 5, 7), Int32Array.of(39, 1, 20)];

describe('ObjectiveSteps', () => {
  /** θ after three steps on images that lie on the device whole, or in a window of three. */
  async function train(budget: number): Promise<Float32Array> {
    const config = tinyConfig();
    const context = tinyContext(await device(), config);
    const model = studentModel(context);
    const { train, image } = context.dataset;
    const place = { batch: 3, budget, label: 'test' };
    const data = await placeTraining(context.device, train, image, tinyTargets, place);
    const steps = await ObjectiveSteps.create(
      context.device,
      distillation(model, { ...config.experts, learningRate: 0.2 }),
      data,
      [3],
    );
    try {
      const start = initialParameters(model.parameters, key);
      steps.start(start);
      expect(() => steps.start(start.subarray(1), 1)).toThrow(
        new ShapeError(
          `distillation: θ has ${start.length - 1} elements, but the trainer was made for ${start.length}.`,
        ),
      );
      const state = await steps.state();
      expect(() => steps.restore({ ...state, momentum: state.momentum.subarray(1) })).toThrow(
        /distillation: the momentum buffer has \d+ elements/,
      );
      for (const rows of batches) await steps.step({ rows, key });
      await expect(steps.step({ rows: Int32Array.of(1), key })).rejects.toThrow(
        /no step was compiled for a batch of 1; batch sizes are 3/,
      );
      return await steps.parameters();
    } finally {
      steps.release();
      releaseTraining(context.device, data);
    }
  }

  it('leaves no memory behind where a size cannot be compiled', async () => {
    const { device: counted, memory } = await countingDevice(await device());
    const config = tinyConfig();
    const context = tinyContext(counted, config);
    const { train, image } = context.dataset;
    const place = { batch: 3, budget: 2 ** 20, label: 'test' };
    const data = await placeTraining(counted, train, image, tinyTargets, place);
    const whole = distillation(studentModel(context), { ...config.experts, learningRate: 0.2 });
    const make = () =>
      ObjectiveSteps.create(
        counted,
        {
          ...whole,
          tape(types, size) {
            if (size === 2) throw new ShapeError('no such batch');
            return whole.tape(types, size);
          },
        },
        data,
        [3, 2],
      );
    await expect(make()).rejects.toThrow('no such batch');
    const { held } = memory;
    await expect(make()).rejects.toThrow('no such batch');
    expect(memory.held).toBe(held);
  });

  it('trains on a window of images that do not fit as on all of them, to the bit', async () => {
    const whole = await train(2 ** 20);
    expect(await train(1)).toEqual(whole);
    expect(whole).not.toEqual(
      initialParameters(studentModel(tinyContext(await device(), tinyConfig())).parameters, key),
    );
  });
});
