/** Time of one hypergradient: a small ConvNet unrolled for a few steps, and the size of the main job. */
import benny from 'benny';
import { f32 } from '../src/autograd/tape.js';
import { Unroll } from '../src/autograd/unroll/unroll.js';
import type { Device } from '../src/gpu/device.js';
import { permutation, uniformRange } from '../src/kernels/philox.js';
import { convNet } from '../src/nn/convNet.js';
import { mse } from '../src/nn/losses.js';
import { initialParameters } from '../src/nn/model.js';
import { sgd } from '../src/nn/optimisers/sgd.js';

interface Case {
  readonly name: string;
  readonly image: readonly [number, number, number];
  readonly width: number;
  readonly output: number;
  /** Synthetic images, and images of one inner step. */
  readonly count: number;
  readonly batch: number;
  readonly steps: number;
}

const cases: readonly Case[] = [
  {
    name: 'width 8, 16×16×3, batch 32, N = 3',
    image: [3, 16, 16],
    width: 8,
    output: 32,
    count: 32,
    batch: 32,
    steps: 3,
  },
  { name: 'mnist-small, N = 20', image: [1, 14, 14], width: 16, output: 64, count: 40, batch: 20, steps: 20 },
];

async function prepare(device: Device, { image, width, output, count, batch, steps }: Case) {
  const model = convNet({ image, depth: 2, width, output });
  const unrolled = await Unroll.create({
    device,
    problem: {
      parameters: model.parameters.total,
      tables: { images: f32(count, ...image), targets: f32(count, output) },
      loss: (theta, { images, targets }) => mse(model.forward(theta, images!).output, targets!),
    },
    optimiser: sgd(),
    steps,
    batchSizes: [batch],
  });
  const draw = (purpose: string, size: number) => uniformRange({ seed: 1, purpose, index: 0 }, size, -1, 1);
  unrolled.write('images', draw('images', unrolled.inputs.images!.bytes / 4));
  unrolled.write('targets', draw('targets', unrolled.inputs.targets!.bytes / 4));
  unrolled.write('learningRate', Float32Array.of(0.1));
  const theta = (index: number) =>
    initialParameters(model.parameters, { seed: 1, purpose: 'student', index });
  const trajectory = {
    start: theta(0),
    outer: { start: theta(0), target: theta(1) },
    batches: Array.from({ length: steps }, (_, index) =>
      permutation({ seed: 1, purpose: 'batches', index }, count).slice(0, batch),
    ),
  };
  return { unrolled, trajectory };
}

export async function hypergradientSuite(device: Device): Promise<void> {
  const prepared: Awaited<ReturnType<typeof prepare>>[] = [];
  for (const each of cases) prepared.push(await prepare(device, each));
  await benny.suite(
    `hypergradient (recompute) on ${device.adapter.name}`,
    ...cases.map(({ name }, k) =>
      benny.add(name, async () => {
        const { unrolled, trajectory } = prepared[k]!;
        unrolled.submit(trajectory);
        await unrolled.loss();
        await device.settle();
      }),
    ),
    benny.cycle(),
    benny.complete(({ results }) => {
      for (const { name, details } of results) {
        const { steps } = cases.find((each) => each.name === name)!;
        const perStep = (details.median * 1e3) / steps;
        process.stdout.write(
          `${name}: ${(details.median * 1e3).toFixed(1)} ms, ${perStep.toFixed(1)} ms a step (${device.adapter.name})\n`,
        );
      }
    }),
  );
  for (const { unrolled } of prepared) unrolled.release();
}
