import { describe, expect, it, vi } from 'vitest';
import { requireTensorsFit } from '../../../src/autograd/compile/limits.js';
import { lowerTape } from '../../../src/autograd/compile/lower.js';
import { compile } from '../../../src/autograd/compile/plan.js';
import { gradient } from '../../../src/autograd/gradient.js';
import { conv2d } from '../../../src/autograd/ops/conv2d.js';
import { exp } from '../../../src/autograd/ops/elementwise.js';
import { matmul } from '../../../src/autograd/ops/matmul.js';
import { sumAll } from '../../../src/autograd/ops/reduce.js';
import { f32, type Tape } from '../../../src/autograd/tape.js';
import { type Tensor, trace } from '../../../src/autograd/trace.js';
import { DeviceError, ShapeError } from '../../../src/errors.js';
import { useDevice } from '../../support/device.js';
import { targetWith } from '../../support/lowered.js';
import { markedLines } from '../../support/marked.js';

const openedDevice = useDevice();
const marked = markedLines(import.meta.filename);

const convolution = trace({ x: f32(1, 1, 4, 4), w: f32(1, 1, 3, 3) }, ({ x, w }) => {
  const y = conv2d(x, w, { stride: 2 }); // convolved
  return { y };
});

describe('an error of compilation names the operation and the user’s line', () => {
  it('when an operation cannot be lowered', () => {
    const broken: Tape = {
      ...convolution,
      operations: convolution.operations.map((operation) =>
        operation.name === 'conv2d' ? { ...operation, attributes: { stride: 0, padding: 0 } } : operation,
      ),
    };
    const attempt = () => lowerTape(broken, targetWith());
    expect(attempt).toThrow(ShapeError);
    expect(attempt).toThrow(/stride 0.* Met while lowering conv2d \(%2: f32\[1,1,1,1\]\), traced at /);
    expect(attempt).toThrow(marked('convolved'));
  });

  it('when the device refuses its kernel', async () => {
    const device = await openedDevice();
    const refusal = vi
      .spyOn(device, 'computePipeline')
      .mockRejectedValue(new DeviceError("Kernel 'conv2dStrided (conv2d)' does not compile: line 3."));
    const compiling = compile(convolution, device);
    await expect(compiling).rejects.toThrow(DeviceError);
    await expect(compiling).rejects.toThrow(
      /line 3\. Met while compiling conv2d \(%2: f32\[1,1,1,1\]\), traced/,
    );
    await expect(compiling).rejects.toThrow(marked('convolved'));
    refusal.mockRestore();
  });

  describe('when a tensor is larger than the device allows:', () => {
    const check = (tape: Tape, largest: number) => () =>
      requireTensorsFit(tape, lowerTape(tape, targetWith()), largest);

    it('a result', () => {
      const tape = trace({ a: f32(16, 1), b: f32(1, 16) }, ({ a, b }) => {
        const product = matmul(a, b); // product
        return { y: exp(product) };
      });
      expect(check(tape, 1024)).not.toThrow();
      expect(check(tape, 1023)).toThrow(DeviceError);
      expect(check(tape, 1023)).toThrow(
        /The result f32\[16,16\] of matmul takes 1 KiB, but .* is 1023 bytes\. .* traced at /,
      );
      expect(check(tape, 1023)).toThrow(marked('product'));
    });

    it('a result in a gradient', () => {
      const tape = trace({ a: f32(1, 4), b: f32(1, 4) }, ({ a, b }) => {
        const product = matmul(a, b, { transposeB: true }); // inner product
        const [first] = gradient(sumAll(exp(product)), [a]) as [Tensor];
        return { d: gradient(sumAll(exp(first)), [b])[0]! };
      });
      const backward = tape.operations.find(({ origin }) => origin?.gradientOf === 'matmul')!;
      const only: Tape = { ...tape, outputs: { d: backward.id } };
      const lowered = lowerTape(only, targetWith());
      const stays = lowered.stays.map((stay) =>
        stay.line === backward.id ? { ...stay, bytes: 2 ** 40 } : stay,
      );
      const attempt = () => requireTensorsFit(only, { ...lowered, stays }, 2 ** 30);
      expect(attempt).toThrow(/takes 1024 GiB.* in the gradient of matmul, traced at /);
      expect(attempt).toThrow(marked('inner product'));
    });

    it('an input', () => {
      const tape = trace({ a: f32(64) }, ({ a }) => ({ y: sumAll(a) })); // input
      expect(check(tape, 255)).toThrow(/Input 'a' f32\[64\] takes 256 bytes/);
      expect(check(tape, 255)).toThrow(marked('input'));
    });

    it('before any memory is asked for', async () => {
      const device = await openedDevice();
      const acquire = vi.spyOn(device, 'acquireBuffer');
      const tape = trace({ a: f32(70_000, 1), b: f32(1, 70_000) }, ({ a, b }) => ({ y: matmul(a, b) }));
      await expect(compile(tape, device)).rejects.toThrow(/The result f32\[70000,70000\] of matmul takes/);
      expect(acquire).not.toHaveBeenCalled();
      acquire.mockRestore();
    });
  });
});
