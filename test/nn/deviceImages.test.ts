import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../src/errors.js';
import { countingDevice } from '../../src/gpu/countingDevice.js';
import type { Device } from '../../src/gpu/device.js';
import { permutation } from '../../src/kernels/philox.js';
import { convNet } from '../../src/nn/convNet.js';
import {
  type DeviceImages,
  placeImages,
  placeTraining,
  releaseImages,
  releaseTraining,
  stageRows,
  type TrainingImages,
  tableSource,
} from '../../src/nn/deviceImages.js';
import { Encoder } from '../../src/nn/encoder.js';
import { mse } from '../../src/nn/losses.js';
import { initialParameters, type Model } from '../../src/nn/model.js';
import { batchSizesOf, splitBatches, Trainer } from '../../src/nn/training.js';
import { numbers } from '../support/compare.js';
import { useDevice } from '../support/device.js';

const openedDevice = useDevice();

const SHAPE = [2, 7, 7] as const;
const ROW = 98;
const OUTPUT = 3;
const model = convNet({ image: SHAPE, depth: 1, width: 4, output: OUTPUT });
const start = initialParameters(model.parameters, { seed: 1, purpose: 'start', index: 0 });

/** More than an encoder takes at once, and no multiple of anything. */
const COUNT = 231;
const images = numbers(1, 'images', COUNT * ROW);
const targets = numbers(1, 'targets', COUNT * OUTPUT);
const source = tableSource(images, COUNT);
const WHOLE = 2 ** 30;

async function placed(budget: number, batch = 16): Promise<TrainingImages> {
  return placeTraining(await openedDevice(), source, SHAPE, targets, { batch, budget, label: 'test' });
}

const trainerOf = (device: Device, data: TrainingImages, { forward }: Pick<Model, 'forward'>) =>
  Trainer.create({
    device,
    data,
    parameters: model.parameters.total,
    loss: (theta, x, y) => mse(forward(theta, x).output, y),
    optimiser: { momentum: 0.9, weightDecay: 1e-4 },
    batchSizes: batchSizesOf(COUNT, 16),
    label: 'test',
  });

async function train(data: TrainingImages): Promise<Float32Array> {
  const trainer = await trainerOf(await openedDevice(), data, model);
  trainer.start(start, 0.05);
  for (let index = 0; index < 2; index++) {
    await trainer.submit(splitBatches(permutation({ seed: 1, purpose: 'order', index }, COUNT), 16));
  }
  const theta = await trainer.parameters();
  trainer.release();
  return theta;
}

async function encode(data: DeviceImages, rows?: Int32Array) {
  const encoder = await Encoder.create(await openedDevice(), model, data);
  const encoded = await encoder.encode(start, rows);
  encoder.release();
  return encoded;
}

describe('a model that cannot be compiled for the rest of the images', () => {
  const broken: Model = {
    ...model,
    forward(theta, x) {
      if ([7, 31].includes(x.shape[0]!)) throw new ShapeError('no such batch');
      return model.forward(theta, x);
    },
  };
  const makers = {
    'an encoder': (device: Device, data: TrainingImages) => Encoder.create(device, broken, data),
    'a trainer': (device: Device, data: TrainingImages) => trainerOf(device, data, broken),
  };

  it.each(Object.entries(makers))('leaves no memory of %s behind', async (_, make) => {
    const { device, memory } = await countingDevice(await openedDevice());
    const data = await placeTraining(device, source, SHAPE, targets, {
      batch: 16,
      budget: WHOLE,
      label: 'test',
    });
    await expect(make(device, data)).rejects.toThrow('no such batch');
    // What came back to the pool is lent again.
    const { held } = memory;
    await expect(make(device, data)).rejects.toThrow('no such batch');
    expect(memory.held).toBe(held);
  });
});

describe('images on the device', () => {
  it('lie there whole where they fit, else behind a window of the largest batch, or of what an encoder takes', async () => {
    const device = await openedDevice();
    const whole = await placed(WHOLE);
    expect([whole.window, whole.imageShape, whole.targetType.shape]).toEqual([
      undefined,
      [COUNT, ...SHAPE],
      [COUNT, OUTPUT],
    ]);
    // One byte less than the images need.
    const streamed = await placed(COUNT * ROW * 4 - 1);
    expect([streamed.count, streamed.imageShape, streamed.targetType.shape]).toEqual([
      COUNT,
      [100, ...SHAPE],
      [100, OUTPUT],
    ]);
    const large = await placed(0, 150);
    expect(large.imageShape[0]).toBe(150);
    for (const data of [whole, streamed, large]) releaseTraining(device, data);
  });

  it('train a model to the same bits either way', async () => {
    const device = await openedDevice();
    const [whole, streamed] = [await placed(WHOLE), await placed(0)];
    expect(await train(streamed)).toEqual(await train(whole));
    for (const data of [whole, streamed]) releaseTraining(device, data);
  });

  it('are encoded to the same bits either way, all or any rows of them', async () => {
    const device = await openedDevice();
    const place = (budget: number) => placeImages(device, source, SHAPE, { batch: 1, budget, label: 'test' });
    const [whole, streamed] = [await place(WHOLE), await place(0)];
    expect(streamed.window).toBeDefined();
    expect(await encode(streamed)).toEqual(await encode(whole));
    const some = Int32Array.of(230, 0, 7, 7, 131);
    expect(await encode(streamed, some)).toEqual(await encode(whole, some));
    for (const data of [whole, streamed]) releaseImages(device, data);
  });

  it('are refused in steps of more rows than the window holds', async () => {
    const device = await openedDevice();
    const data = await placed(0);
    const attempt = stageRows(data, new Int32Array(101));
    await expect(attempt).rejects.toThrow(ShapeError);
    await expect(attempt).rejects.toThrow(/window of 100 rows cannot hold the 101/);
    releaseTraining(device, data);
  });

  it('need a whole number of target values each', async () => {
    const attempt = placeTraining(await openedDevice(), source, SHAPE, targets.subarray(1), {
      batch: 1,
      budget: 0,
      label: 'test',
    });
    await expect(attempt).rejects.toThrow(/no whole number for each of 231 images/);
  });
});
