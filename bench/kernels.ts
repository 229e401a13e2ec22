/** Rates of the heavy kernels: one matrix product, and a convolution with both of its gradients. */
import benny from 'benny';
import { compile, type Plan } from '../src/autograd/compile/plan.js';
import { conv2d, conv2dInputGrad, conv2dWeightGrad } from '../src/autograd/ops/conv2d.js';
import { matmul } from '../src/autograd/ops/matmul.js';
import { f32, sizeOf, type Tape, type TensorType } from '../src/autograd/tape.js';
import { trace } from '../src/autograd/trace.js';
import type { Device } from '../src/gpu/device.js';
import { uniformRange } from '../src/kernels/philox.js';

interface Case {
  readonly name: string;
  readonly tape: Tape;
  /** Multiplications and additions of one replay. */
  readonly operations: number;
}

const SIDE = 384;
const [BATCH, CHANNELS, IMAGE, WINDOW] = [32, 32, 16, 3];
const image = [BATCH, CHANNELS, IMAGE, IMAGE];
const weight = [CHANNELS, CHANNELS, WINDOW, WINDOW];
const padding = (WINDOW - 1) / 2;
const convolutionOperations = 2 * sizeOf(image) * CHANNELS * WINDOW * WINDOW;
const convolutionName = `${CHANNELS} → ${CHANNELS}, ${IMAGE}×${IMAGE}, batch ${BATCH}`;

const pair = (a: readonly number[], b: readonly number[]): Record<'a' | 'b', TensorType> => ({
  a: f32(...a),
  b: f32(...b),
});

const cases: readonly Case[] = [
  {
    name: `matmul ${SIDE}³`,
    tape: trace(pair([SIDE, SIDE], [SIDE, SIDE]), ({ a, b }) => ({ y: matmul(a, b) })),
    operations: 2 * SIDE ** 3,
  },
  {
    name: `conv2d ${convolutionName}`,
    tape: trace(pair(image, weight), ({ a, b }) => ({ y: conv2d(a, b, { padding }) })),
    operations: convolutionOperations,
  },
  {
    name: `conv2dInputGrad ${convolutionName}`,
    tape: trace(pair(image, weight), ({ a, b }) => ({ y: conv2dInputGrad(a, b, image, { padding }) })),
    operations: convolutionOperations,
  },
  {
    name: `conv2dWeightGrad ${convolutionName}`,
    tape: trace(pair(image, image), ({ a, b }) => ({ y: conv2dWeightGrad(a, b, weight, { padding }) })),
    operations: convolutionOperations,
  },
];

async function prepare(device: Device, { tape, name }: Case): Promise<Plan> {
  const plan = await compile(tape, device, { label: name });
  for (const [input, id] of Object.entries(tape.inputs)) {
    const size = sizeOf(tape.operations[id]!.type.shape);
    plan.write(input, uniformRange({ seed: 1, purpose: `bench/${input}`, index: 0 }, size, -1, 1));
  }
  return plan;
}

export async function kernelSuite(device: Device): Promise<void> {
  const prepared = await Promise.all(cases.map((each) => prepare(device, each)));
  await benny.suite(
    `kernels on ${device.adapter.name}`,
    ...cases.map(({ name }, k) =>
      benny.add(name, async () => {
        prepared[k]!.submit();
        await device.settle();
      }),
    ),
    benny.cycle(),
    benny.complete(({ results }) => {
      for (const { name, details } of results) {
        const { operations } = cases.find((each) => each.name === name)!;
        const rate = operations / details.median / 1e9;
        process.stdout.write(
          `${name}: ${(details.median * 1e3).toFixed(2)} ms, ${rate.toFixed(2)} GFLOP/s (${device.adapter.name})\n`,
        );
      }
    }),
  );
  for (const plan of prepared) plan.release();
}
