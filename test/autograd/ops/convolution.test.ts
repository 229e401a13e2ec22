/** conv2d and its two gradients on the device, by every way in which they are lowered. */
import { describe, expect, it } from 'vitest';
import { lowerTape } from '../../../src/autograd/compile/lower.js';
import { compile } from '../../../src/autograd/compile/plan.js';
import { gradient } from '../../../src/autograd/gradient.js';
import { interpret } from '../../../src/autograd/interpret.js';
import { type Conv2dOptions, conv2d } from '../../../src/autograd/ops/conv2d.js';
import { dot } from '../../../src/autograd/ops/reduce.js';
import { f32, type Shape } from '../../../src/autograd/tape.js';
import { trace } from '../../../src/autograd/trace.js';
import { convNet } from '../../../src/nn/convNet.js';
import { mse } from '../../../src/nn/losses.js';
import { initialParameters } from '../../../src/nn/model.js';
import { expectNear, numbers } from '../../support/compare.js';
import { useDevice } from '../../support/device.js';
import { targetWith } from '../../support/lowered.js';
import { floats } from '../../support/operations/case.js';
import { both, outputExtent } from '../../support/operations/windows.js';

const openedDevice = useDevice();

/** A convolution with both of its gradients, for an output's cotangent. */
function convolutionTape(x: Shape, w: Shape, options: Conv2dOptions) {
  const [stride, padding] = [both(options.stride ?? 1), both(options.padding ?? 0)];
  const sides = [0, 1].map((k) => outputExtent(x[k + 2]!, w[k + 2]!, stride[k]!, padding[k]!));
  const types = { x: f32(...x), w: f32(...w), c: f32(x[0]!, w[0]!, ...sides) };
  return trace(types, (inputs) => {
    const y = conv2d(inputs.x, inputs.w, options);
    const [d_x, d_w] = gradient(dot(y, inputs.c), [inputs.x, inputs.w]);
    return { y, d_x: d_x!, d_w: d_w! };
  });
}

describe('a convolution and its gradients on the device', () => {
  it.each<[string, Shape, Shape, Conv2dOptions]>([
    ['a window as wide as a long row', [2, 3, 2, 70], [5, 3, 1, 67], { padding: [0, 33] }],
    ['a window as high as a long column', [2, 3, 70, 2], [5, 3, 69, 1], { padding: [34, 0] }],
    ['a window larger than the image', [2, 3, 4, 5], [4, 3, 9, 8], { padding: [3, 2] }],
    ['padding beyond the window', [2, 3, 5, 6], [4, 3, 2, 3], { padding: [4, 5] }],
    ['a window that only sees padding in places', [1, 2, 3, 1], [4, 2, 1, 1], { stride: 3, padding: 1 }],
    ['strides beyond the window', [2, 3, 17, 40], [9, 3, 2, 3], { stride: [5, 7] }],
    ['a stride beyond a block of pixels', [1, 2, 5, 90], [3, 2, 3, 3], { stride: [1, 41], padding: 1 }],
    ['another stride by direction', [2, 5, 12, 37], [7, 5, 4, 5], { stride: [3, 2], padding: [1, 2] }],
    ['a step of a residual network', [2, 8, 17, 17], [16, 8, 3, 3], { stride: 2, padding: 1 }],
    ['a shortcut of a residual network', [2, 8, 17, 17], [16, 8, 1, 1], { stride: 2 }],
  ])('are those of the reference for %s', async (_, x, w, options) => {
    const tape = convolutionTape(x, w, options);
    const shape = tape.operations[tape.inputs.c!]!.type.shape;
    const values = {
      x: floats(1, 'x', x).values,
      w: floats(1, 'w', w).values,
      c: floats(1, 'c', shape).values,
    };
    const plan = await compile(tape, await openedDevice());
    try {
      const got = await plan.run(values);
      const want = interpret(tape, values);
      for (const name of ['y', 'd_x', 'd_w'])
        expectNear(got[name]!, want[name]!, { relative: 1e-5, absolute: 1e-5 }, name);
    } finally {
      plan.release();
    }
  });

  it('are those of the reference through a student of depth 4 at 64×64', async () => {
    const model = convNet({ image: [3, 64, 64], depth: 4, width: 4, output: 5 });
    const types = { theta: f32(model.parameters.total), x: f32(2, 3, 64, 64), y: f32(2, 5) };
    const tape = trace(types, ({ theta, x, y }) => {
      const loss = mse(model.forward(theta, x).output, y);
      const [d_theta, d_x] = gradient(loss, [theta, x]);
      return { loss, d_theta: d_theta!, d_x: d_x! };
    });
    const inputs = {
      theta: initialParameters(model.parameters, { seed: 1, purpose: 'student', index: 0 }),
      x: numbers(1, 'x', 2 * 3 * 64 * 64),
      y: numbers(1, 'y', 10),
    };
    const plan = await compile(tape, await openedDevice());
    try {
      const got = await plan.run(inputs);
      const want = interpret(tape, inputs);
      for (const name of ['loss', 'd_theta', 'd_x'])
        expectNear(got[name]!, want[name]!, { relative: 2e-5, absolute: 1e-7 }, name);
    } finally {
      plan.release();
    }
  });
});

describe('strides and paddings', () => {
  it('that are equal in both directions are the same operation as one number', () => {
    const tape = trace({ x: f32(1, 2, 9, 9), w: f32(3, 2, 3, 3) }, ({ x, w }) => ({
      one: conv2d(x, w, { stride: 2, padding: 1 }),
      two: conv2d(x, w, { stride: [2, 2], padding: [1, 1] }),
      other: conv2d(x, w, { stride: [2, 1], padding: 1 }),
    }));
    expect(tape.outputs.one).toBe(tape.outputs.two);
    expect(tape.outputs.one).not.toBe(tape.outputs.other);
  });

  it('leave a gradient of stride 1 to the forward kernel, however wide the padding', () => {
    const tape = convolutionTape([1, 2, 5, 5], [3, 2, 2, 3], { padding: [4, 0] });
    const kernels = lowerTape(tape, targetWith()).dispatches.map(({ kernel }) => kernel);
    expect(kernels.filter((kernel) => kernel === 'conv2d')).toHaveLength(2);
    expect(kernels).not.toContain('conv2dInputGrad');
  });
});
