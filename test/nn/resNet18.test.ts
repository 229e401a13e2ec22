import { describe, expect, it } from 'vitest';
import { gradient } from '../../src/autograd/gradient.js';
import { interpret } from '../../src/autograd/interpret.js';
import { dot } from '../../src/autograd/ops/reduce.js';
import { f32, sizeOf } from '../../src/autograd/tape.js';
import { trace } from '../../src/autograd/trace.js';
import { ShapeError } from '../../src/errors.js';
import { initialParameters, type ModelWithBuffers } from '../../src/nn/model.js';
import { splitParameters } from '../../src/nn/parameters.js';
import { resNet18 } from '../../src/nn/resNet18.js';
import { expectNear, numbers } from '../support/compare.js';
import { expectDerivatives } from '../support/derivatives.js';

const key = { seed: 1, purpose: 'teacher', index: 0 };
const EXACT = { relative: 1e-12, absolute: 1e-12 };

/** All three passes of a model on a few images. */
function passes(model: ModelWithBuffers, batch: number) {
  const { parameters, buffers, image } = model;
  const types = { theta: f32(parameters.total), running: f32(buffers.total), x: f32(batch, ...image) };
  return trace(types, ({ theta, running, x }) => {
    const trained = model.train(theta, running, x);
    return {
      forward: model.forward(theta, x).output,
      features: trained.features,
      output: trained.output,
      buffers: trained.buffers,
      evaluation: model.evaluate(theta, running, x).output,
    };
  });
}

describe('resNet18', () => {
  it('has torchvision’s tensors, with a 3×3 first convolution and no classifier', () => {
    const { parameters, buffers, featureCount, outputCount } = resNet18({ image: [3, 32, 32] });
    // torchvision's 11 689 512, less the classifier, and 3×3 instead of 7×7 in the first convolution.
    expect(parameters.count).toBe(11_689_512 - 513_000 - 64 * 3 * 40);
    expect(buffers.count).toBe(2 * 4800);
    expect([featureCount, outputCount]).toEqual([512, 512]);
    const shapes = Object.fromEntries(parameters.entries.map(({ name, shape }) => [name, shape]));
    expect(shapes).toMatchObject({
      'conv1.weight': [64, 3, 3, 3],
      'layer1.0.conv1.weight': [64, 64, 3, 3],
      'layer2.0.conv1.weight': [128, 64, 3, 3],
      'layer2.0.downsample.0.weight': [128, 64, 1, 1],
      'layer2.0.downsample.1.bias': [128],
      'layer4.1.bn2.weight': [512],
    });
    expect(shapes).not.toHaveProperty('layer1.0.downsample.0.weight');
    expect(parameters.entries).toHaveLength(60);
    expect(buffers.entries.map(({ name }) => name)).toContain('layer3.0.downsample.1.running_var');
  });

  it.each([
    ['an image of a student’s size', [3, 32, 32], 2],
    ['an oblong gray image', [1, 9, 14], 3],
    ['one pixel', [2, 1, 1], 2],
  ] as const)('gives a representation of 8 times its width for %s', (_, image, width) => {
    const tape = passes(resNet18({ image, width }), 2);
    for (const name of ['features', 'output', 'evaluation']) {
      expect(tape.operations[tape.outputs[name]!]!.type.shape).toEqual([2, 8 * width]);
    }
  });

  const model = resNet18({ image: [2, 7, 6], width: 2 });
  const theta = initialParameters(model.parameters, key);
  const running = initialParameters(model.buffers, key);
  const x = numbers(1, 'x', 3 * 2 * 7 * 6);

  it('trains on the batch’s statistics, whatever the running ones are', () => {
    const tape = passes(model, 3);
    const fresh = interpret(tape, { theta, running, x });
    const other = interpret(tape, { theta, running: running.map((value) => value + 1), x });
    expectNear(other.output!, fresh.output!, EXACT);
    expectNear(fresh.forward!, fresh.output!, EXACT);
    expectNear(fresh.features!, fresh.output!, EXACT);
    expect(other.evaluation).not.toEqual(fresh.evaluation);
  });

  it('evaluates as it trains where the running statistics are the batch’s', () => {
    const wide = resNet18({ image: [1, 24, 24], width: 2 });
    const tape = passes(wide, 4);
    const inputs = {
      theta: initialParameters(wide.parameters, key),
      running: new Float32Array(wide.buffers.total),
      x: numbers(1, 'x', 4 * 24 * 24),
    };
    // From zeros, one batch leaves a tenth of its statistics, the variance unbiased: n/(n−1) too large.
    const statistics = interpret(tape, inputs).buffers!.map((value) => 10 * value);
    const sides = { bn1: 26, layer1: 26, layer2: 13, layer3: 7, layer4: 4 };
    for (const { name, offset, shape } of wide.buffers.entries) {
      if (!name.endsWith('running_var')) continue;
      const count = 4 * sides[name.split('.')[0] as keyof typeof sides] ** 2;
      for (let c = 0; c < shape[0]!; c++) statistics[offset + c]! *= (count - 1) / count;
    }
    const { evaluation, output } = interpret(tape, { ...inputs, running: statistics });
    expectNear(evaluation!, output!, { relative: 1e-9, absolute: 0 });
  });

  it('has a gradient by θ and images that central differences confirm', () => {
    const types = { theta: f32(model.parameters.total), x: f32(3, 2, 7, 6), v: f32(3, 16) };
    const tape = trace(types, ({ theta, x, v }) => {
      const value = dot(model.forward(theta, x).output, v);
      const [d_theta, d_x] = gradient(value, [theta, x]);
      return { value, d_theta: d_theta!, d_x: d_x! };
    });
    expectDerivatives(tape, { theta, x, v: numbers(1, 'v', 48) }, ['theta', 'x']);
  });

  it('starts convolutions with variance 2/fan-out, norms at 1 and 0, running statistics at 0 and 1', () => {
    const { parameters, buffers } = resNet18({ image: [3, 32, 32], width: 16 });
    const parts = splitParameters(parameters, initialParameters(parameters, key));
    for (const { name, shape, start } of parameters.entries) {
      const values = parts[name]!;
      if (start === 'heNormal' && sizeOf(shape) > 5000) {
        const variance = values.reduce((sum, value) => sum + value * value, 0) / values.length;
        const fanOut = shape[0]! * shape[2]! * shape[3]!;
        expect((variance * fanOut) / 2, name).toBeCloseTo(1, 1);
      } else if (start !== 'heNormal') {
        expect(new Set(values), name).toEqual(new Set([name.endsWith('weight') ? 1 : 0]));
      }
    }
    const statistics = splitParameters(buffers, initialParameters(buffers, key));
    for (const [name, values] of Object.entries(statistics)) {
      expect(new Set(values), name).toEqual(new Set([name.endsWith('running_var') ? 1 : 0]));
    }
  });

  it('refuses a width that is no whole number', () => {
    expect(() => resNet18({ image: [3, 32, 32], width: 1.5 })).toThrow(ShapeError);
    expect(() => resNet18({ image: [3, 32, 32], width: 0 })).toThrow(/width 0 must be a whole number ≥ 1/);
  });
});
