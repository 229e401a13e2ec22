/** A hypergradient on our side, ready to run. */
import { f32 } from '../../src/autograd/tape.js';
import type { MemoryMode, Trajectory } from '../../src/autograd/unroll/options.js';
import { Unroll } from '../../src/autograd/unroll/unroll.js';
import type { Device } from '../../src/gpu/device.js';
import { permutation } from '../../src/kernels/philox.js';
import { mse } from '../../src/nn/losses.js';
import { sgd } from '../../src/nn/optimisers/sgd.js';
import { flat } from '../cases/parameters.js';
import type { HypergradientCase } from '../cases/types.js';
import type { Contender } from '../contender.js';

/** An unrolled training with its numbers on the device. */
export interface Unrolled extends Contender {
  readonly unroll: Unroll;
  readonly trajectory: Trajectory;
}

/** Every step sees the whole set, in an order of its own. */
export async function unrolled(
  device: Device,
  given: HypergradientCase,
  memory: MemoryMode = 'recompute',
): Promise<Unrolled> {
  const { model, images, targets, steps } = given;
  const count = images.shape[0]!;
  const unroll = await Unroll.create({
    device,
    problem: {
      parameters: model.parameters.total,
      tables: { images: f32(...images.shape), targets: f32(...targets.shape) },
      loss: (theta, rows) => mse(model.forward(theta, rows.images!).output, rows.targets!),
    },
    optimiser: sgd(),
    steps,
    batchSizes: [count],
    memory,
  });
  unroll.write('images', images.data);
  unroll.write('targets', targets.data);
  unroll.write('learningRate', Float32Array.of(given.learningRate));
  const start = flat(given, given.parameters);
  const trajectory: Trajectory = {
    start,
    outer: { start, target: flat(given, given.arrival) },
    batches: Array.from({ length: steps }, (_, index) =>
      permutation({ seed: 1, purpose: 'bench/batches', index }, count),
    ),
  };
  return {
    unroll,
    trajectory,
    async results() {
      unroll.submit(trajectory);
      return {
        loss: Float32Array.of(await unroll.loss()),
        images: await unroll.gradient('images'),
        targets: await unroll.gradient('targets'),
        learningRate: await unroll.gradient('learningRate'),
      };
    },
    async run(repeats) {
      for (let k = 0; k < repeats; k++) unroll.submit(trajectory);
      await device.settle();
    },
    release: () => unroll.release(),
  };
}
