/** Lanes of a subgroup that tell each other what they loaded: the same kernels, the same results, ragged extents. */
import { describe, expect, it } from 'vitest';
import { interpret } from '../../../src/autograd/interpret.js';
import { conv2d, conv2dInputGrad, conv2dWeightGrad } from '../../../src/autograd/ops/conv2d.js';
import { matmul } from '../../../src/autograd/ops/matmul.js';
import { f32, sizeOf, type Tape } from '../../../src/autograd/tape.js';
import { trace } from '../../../src/autograd/trace.js';
import { tableOf } from '../../../src/kernels/deviceTuning.js';
import { uniformRange } from '../../../src/kernels/philox.js';
import { expectNear } from '../../support/compare.js';
import { useDevice } from '../../support/device.js';
import { runLowered, targetWith } from '../../support/lowered.js';
import { outputExtent } from '../../support/operations/windows.js';

const device = useDevice();

interface Shape {
  readonly name: string;
  readonly x: readonly [number, number, number, number];
  readonly outputs: number;
  readonly window: readonly [number, number];
  readonly padding?: readonly [number, number];
  readonly stride?: readonly [number, number];
}

const shapes: readonly Shape[] = [
  { name: 'whole blocks', x: [4, 4, 8, 8], outputs: 8, window: [3, 3], padding: [1, 1] },
  {
    name: 'channels, rows and columns that leave rests',
    x: [3, 5, 9, 11],
    outputs: 9,
    window: [3, 3],
    padding: [1, 1],
  },
  { name: 'one channel', x: [5, 1, 7, 7], outputs: 1, window: [3, 3], padding: [1, 1] },
  { name: 'a row of pixels', x: [2, 6, 1, 19], outputs: 3, window: [1, 5], padding: [0, 2] },
  {
    name: 'a stride and a wide window',
    x: [2, 3, 13, 10],
    outputs: 6,
    window: [5, 4],
    padding: [2, 1],
    stride: [2, 3],
  },
];

function tapesOf({ x, outputs, window, padding = [0, 0], stride = [1, 1] }: Shape): Record<string, Tape> {
  const [count, channels, height, width] = x;
  const y = f32(
    count,
    outputs,
    outputExtent(height, window[0], stride[0], padding[0]),
    outputExtent(width, window[1], stride[1], padding[1]),
  );
  const w = f32(outputs, channels, ...window);
  const options = { padding, stride };
  return {
    convolution: trace({ x: f32(...x), w, bias: f32(outputs) }, ({ x, w, bias }) => ({
      result: conv2d(x, w, { ...options, bias }),
    })),
    'input gradient': trace({ y, w }, ({ y, w }) => ({ result: conv2dInputGrad(y, w, x, options) })),
    'weight gradient': trace({ x: f32(...x), y }, ({ x, y }) => ({
      result: conv2dWeightGrad(x, y, w.shape, options),
    })),
  };
}

function products(): Record<string, Tape> {
  const sizes = [
    [16, 8, 16],
    [33, 65, 17],
    [1, 7, 5],
    [40, 36, 3],
  ] as const;
  const tapes: Record<string, Tape> = {};
  for (const [rows, inner, columns] of sizes) {
    for (const transposeA of [false, true]) {
      for (const transposeB of [false, true]) {
        const a = transposeA ? f32(inner, rows) : f32(rows, inner);
        const b = transposeB ? f32(columns, inner) : f32(inner, columns);
        const name = `${rows}×${inner}×${columns}${transposeA ? ', a transposed' : ''}${transposeB ? ', b transposed' : ''}`;
        tapes[name] = trace({ a, b }, ({ a, b }) => ({ result: matmul(a, b, { transposeA, transposeB }) }));
      }
    }
  }
  return tapes;
}

async function expectSharing(tape: Tape): Promise<void> {
  const opened = await device();
  const tuning = tableOf(opened);
  const inputs = Object.fromEntries(
    Object.entries(tape.inputs).map(([name, id], index) => {
      const size = sizeOf(tape.operations[id]!.type.shape);
      return [name, uniformRange({ seed: 3, purpose: 'test/lanes', index }, size, -1, 1)];
    }),
  );
  const run = async (lanes: number) =>
    (await runLowered(opened, tape, inputs, targetWith({ tuning, lanes, maximumBindings: 12 }))).outputs
      .result!;
  const expected = interpret(tape, inputs).result!;
  expectNear(await run(1), expected);
  expectNear(await run(opened.lanes), expected);
}

describe('lanes that share what they load', () => {
  it('are there on this device, so that the tests below compare two things', async ({ skip }) => {
    const { lanes, adapter } = await device();
    skip(lanes === 1, `${adapter.name} has no subgroups of one size`);
    expect(lanes).toBeGreaterThan(1);
  });

  it.each(shapes)(
    'give the reference’s convolution and gradients, as each alone does: $name',
    async (shape) => {
      for (const tape of Object.values(tapesOf(shape))) await expectSharing(tape);
    },
  );

  it.each(Object.entries(products()))(
    'give the reference’s product, as each alone does: %s',
    async (_, tape) => {
      await expectSharing(tape);
    },
  );
});
