import { describe, expect, it } from 'vitest';
import { lowerTape } from '../../../src/autograd/compile/lower.js';
import { interpret } from '../../../src/autograd/interpret.js';
import { conv2d, conv2dInputGrad, conv2dWeightGrad } from '../../../src/autograd/ops/conv2d.js';
import { f32, type Tape } from '../../../src/autograd/tape.js';
import { trace } from '../../../src/autograd/trace.js';
import { tuningFor } from '../../../src/kernels/catalogue.js';
import { expectNear } from '../../support/compare.js';
import { useDevice } from '../../support/device.js';
import { runLowered, targetWith } from '../../support/lowered.js';
import { type CaseInput, floats } from '../../support/operations/case.js';
import { both, outputExtent } from '../../support/operations/windows.js';
import { targetWithTile } from '../../support/tiling.js';

const openedDevice = useDevice();

interface Convolution {
  readonly x: readonly [N: number, C: number, H: number, W: number];
  readonly w: readonly [O: number, K: number, L: number];
  readonly stride?: number | readonly [number, number];
  readonly padding?: number | readonly [number, number];
  readonly bias?: boolean;
}

const operations = ['conv2d', 'conv2dInputGrad', 'conv2dWeightGrad'] as const;
type Kind = (typeof operations)[number];

function tapeOf(kind: Kind, { x, w: [O, K, L], stride = 1, padding = 0, bias = false }: Convolution) {
  const [N, C, H, W] = x;
  const [[SH, SW], [PH, PW]] = [both(stride), both(padding)];
  const window = [O, C, K, L];
  const inputs: Record<string, CaseInput> = {
    x: floats(1, 'x', [...x]),
    w: floats(1, 'w', window),
    c: floats(1, 'c', [N, O, outputExtent(H, K, SH, PH), outputExtent(W, L, SW, PW)]),
    bias: floats(1, 'bias', [O]),
  };
  const types = Object.fromEntries(Object.entries(inputs).map(([name, { type }]) => [name, type]));
  const options = { stride, padding };
  const tape = trace(types, ({ x: image, w, c, bias: shift }) => {
    if (kind === 'conv2dInputGrad') return { y: conv2dInputGrad(c!, w!, [...x], options) };
    if (kind === 'conv2dWeightGrad') return { y: conv2dWeightGrad(image!, c!, window, options) };
    return { y: conv2d(image!, w!, { ...options, ...(bias ? { bias: shift! } : {}) }) };
  });
  const values = Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, input.values]));
  return { tape, values };
}

async function expectReference(
  kind: Kind,
  tile: number,
  { slices, terms }: { slices: number; terms: number },
  convolution: Convolution,
  kernels: readonly string[],
): Promise<void> {
  const { tape, values } = tapeOf(kind, convolution);
  const target = targetWithTile(tile, { slices, terms });
  const { lowered, outputs } = await runLowered(await openedDevice(), tape, values, target);
  expect(lowered.dispatches.map(({ kernel }) => kernel)).toEqual(kernels);
  expectNear(outputs.y!, interpret(tape, values).y!, { relative: 1e-5, absolute: 1e-5 });
}

const whole = { slices: 1, terms: 1 };

describe('a convolution on tiles gives what the float64 reference gives', () => {
  it.each<[string, number, Convolution]>([
    ['one number', 4, { x: [1, 1, 1, 1], w: [1, 1, 1] }],
    ['quads of a row, 3×3, bias', 0, { x: [2, 4, 8, 8], w: [68, 3, 3], padding: 1, bias: true }],
    ['rows that are no quads, over images', 4, { x: [3, 3, 5, 7], w: [33, 3, 3], padding: 1, bias: true }],
    ['images that are quads with rows that are none', 1, { x: [2, 3, 4, 6], w: [7, 3, 2], padding: [1, 0] }],
    [
      'strides and paddings by direction',
      4,
      { x: [2, 5, 9, 12], w: [9, 4, 5], stride: [3, 2], padding: [1, 3] },
    ],
    ['a window larger than the image', 4, { x: [2, 3, 4, 5], w: [4, 9, 8], padding: [3, 2] }],
    ['windows that lie in the padding', 4, { x: [1, 2, 3, 1], w: [4, 1, 1], stride: 3, padding: [1, 4] }],
  ])('%s', async (_, tile, convolution) => {
    await expectReference('conv2d', tile, whole, convolution, ['conv2dTiled']);
  });

  it('with the sum over channels split, and the bias added once', async () => {
    const convolution: Convolution = { x: [1, 7, 4, 4], w: [5, 3, 3], padding: 1, bias: true };
    await expectReference('conv2d', 4, { slices: 3, terms: 63 }, convolution, ['conv2dTiled', 'reduce']);
  });
});

describe('the gradient of a convolution by its input on tiles gives what the float64 reference gives', () => {
  it.each<[string, number, Convolution]>([
    ['3×3', 3, { x: [2, 36, 8, 8], w: [4, 3, 3], padding: 1 }],
    ['a window of another height than width', 4, { x: [2, 5, 7, 6], w: [3, 2, 5], padding: [0, 1] }],
    ['padding beyond the window', 4, { x: [2, 3, 5, 6], w: [4, 2, 3], padding: [4, 5] }],
  ])('%s', async (_, tile, convolution) => {
    await expectReference('conv2dInputGrad', tile, whole, convolution, ['conv2dTiled']);
  });

  it('and leaves strides above 1 to the kernel in registers', async () => {
    const convolution: Convolution = { x: [1, 2, 5, 6], w: [3, 3, 3], stride: [1, 2], padding: 1 };
    await expectReference('conv2dInputGrad', 4, whole, convolution, ['conv2dInputGrad']);
  });
});

describe('the gradient of a convolution by its weight on tiles gives what the float64 reference gives', () => {
  it.each<[string, number, number, Convolution]>([
    ['quads of a row, whole', 2, 1, { x: [2, 8, 4, 8], w: [12, 3, 3], padding: 1 }],
    ['quads of a row, split', 3, 4, { x: [3, 3, 6, 4], w: [35, 3, 3], padding: 1 }],
    ['no quads, split with a ragged end', 4, 3, { x: [3, 5, 5, 7], w: [9, 2, 3], padding: [1, 0] }],
    [
      'strides and paddings by direction',
      4,
      2,
      { x: [2, 4, 9, 12], w: [5, 4, 5], stride: [3, 2], padding: [1, 3] },
    ],
    ['padding beyond the window', 4, 1, { x: [2, 3, 5, 6], w: [4, 2, 3], padding: [4, 5] }],
  ])('%s', async (_, tile, slices, convolution) => {
    const { x, w, stride = 1, padding = 0 } = convolution;
    const [[SH, SW], [PH, PW]] = [both(stride), both(padding)];
    const terms = x[0] * outputExtent(x[2], w[1], SH, PH) * outputExtent(x[3], w[2], SW, PW);
    const kernels = ['conv2dWeightGradTiled', ...(slices > 1 ? ['reduce'] : [])];
    await expectReference('conv2dWeightGrad', tile, { slices, terms }, convolution, kernels);
  });
});

describe('the choice of kernel', () => {
  const student: Convolution = { x: [64, 128, 16, 16], w: [128, 3, 3], padding: 1 };
  const kernelsOf = (tape: Tape, target = targetWith({ tuning: tuningFor('hardware') })): string[] =>
    lowerTape(tape, target).dispatches.map(({ kernel }) => kernel);
  const tapes = () => {
    const [N, C, H, W] = student.x;
    const window = [128, C, 3, 3];
    const types = { x: f32(N, C, H, W), w: f32(...window), c: f32(N, 128, H, W) };
    return {
      conv2d: trace(types, ({ x, w }) => ({ y: conv2d(x, w, { padding: 1 }) })),
      conv2dInputGrad: trace(types, ({ c, w }) => ({
        y: conv2dInputGrad(c, w, [N, C, H, W], { padding: 1 }),
      })),
      conv2dWeightGrad: trace(types, ({ x, c }) => ({ y: conv2dWeightGrad(x, c, window, { padding: 1 }) })),
    };
  };

  it("takes tiles for a student's inner layers on hardware only", () => {
    const { conv2d: forward, conv2dInputGrad: byInput, conv2dWeightGrad: byWeight } = tapes();
    expect(kernelsOf(forward)).toEqual(['conv2dTiled']);
    expect(kernelsOf(byInput)).toEqual(['conv2dTiled']);
    expect(kernelsOf(byWeight)).toEqual(['conv2dWeightGradTiled', 'reduce']);
    for (const tape of [forward, byInput, byWeight]) {
      for (const kernel of kernelsOf(tape, targetWith())) expect(kernel).not.toMatch(/Tiled/);
    }
  });

  it('keeps few channels in registers', () => {
    const types = { c: f32(64, 128, 16, 16), w: f32(128, 3, 3, 3) };
    const tape = trace(types, ({ c, w }) => ({ y: conv2dInputGrad(c, w, [64, 3, 16, 16], { padding: 1 }) }));
    expect(kernelsOf(tape)).toEqual(['conv2d']);
  });
});
