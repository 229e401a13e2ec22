import { describe, expect, it } from 'vitest';
import { gradient } from '../../src/autograd/gradient.js';
import { interpret } from '../../src/autograd/interpret.js';
import { f32, type Shape } from '../../src/autograd/tape.js';
import { trace } from '../../src/autograd/trace.js';
import { ShapeError } from '../../src/errors.js';
import { type ConvNetOptions, convNet } from '../../src/nn/convNet.js';
import { mse } from '../../src/nn/losses.js';
import { initialParameters, type Model } from '../../src/nn/model.js';
import { joinParameters, splitParameters } from '../../src/nn/parameters.js';
import { expectNear, numbers } from '../support/compare.js';
import { expectDerivatives } from '../support/derivatives.js';

function outputShapes(model: Model, batch: number): { features: Shape; output: Shape } {
  const tape = trace(
    { theta: f32(model.parameters.total), x: f32(batch, ...model.image) },
    ({ theta, x }) => ({
      ...model.forward(theta, x),
    }),
  );
  const shapeOf = (name: string): Shape => tape.operations[tape.outputs[name]!]!.type.shape;
  return { features: shapeOf('features'), output: shapeOf('output') };
}

const paperSize: ConvNetOptions = { image: [3, 32, 32], depth: 3, width: 128, output: 512 };
const key = { seed: 1, purpose: 'student', index: 0 };

describe('convNet', () => {
  it('has the paper’s number of parameters at the paper’s size', () => {
    expect(convNet(paperSize).parameters.count).toBe(1_348_608);
  });

  it('pads 28×28 images to 32×32', () => {
    const padded = convNet({ ...paperSize, image: [3, 28, 28] });
    expect(padded.parameters.count).toBe(1_348_608);
    expect(outputShapes(padded, 2)).toEqual({ features: [2, 2048], output: [2, 512] });
  });

  it.each<[string, ConvNetOptions, number]>([
    ['a square image', { image: [1, 14, 14], depth: 2, width: 16, output: 64 }, 16 * 3 * 3],
    ['an oblong image', { image: [2, 9, 16], depth: 2, width: 5, output: 3 }, 5 * 2 * 4],
    ['one block', { image: [1, 6, 6], depth: 1, width: 3, output: 4 }, 3 * 3 * 3],
  ])('gives the features and the representation that it announces for %s', (_, options, features) => {
    const model = convNet(options);
    expect(model.featureCount).toBe(features);
    expect(model.outputCount).toBe(options.output);
    expect(outputShapes(model, 5)).toEqual({ features: [5, features], output: [5, options.output] });
  });

  it('refuses more blocks than the image can be halved', () => {
    const small = () => convNet({ image: [1, 4, 16], depth: 3, width: 2, output: 2 });
    expect(small).toThrow(ShapeError);
    expect(small).toThrow(/3 blocks halve an image of 4×16 to nothing/);
  });

  it.each([
    ['depth', 0],
    ['depth', 2.5],
    ['width', -1],
    ['output', Number.NaN],
  ])('refuses the %s %d by name', (name, value) => {
    const wrong = () => convNet({ image: [1, 14, 14], depth: 2, width: 2, output: 2, [name]: value });
    expect(wrong).toThrow(new ShapeError(`convNet: the ${name} ${value} must be a whole number ≥ 1.`));
  });

  it('gives the rectified bias of the last norm as features when its convolutions are constant', () => {
    const model = convNet({ image: [1, 8, 8], depth: 2, width: 3, output: 2 });
    const theta = initialParameters(model.parameters, key);
    const parts = splitParameters(model.parameters, theta);
    parts['conv1.weight']!.fill(0);
    parts['norm1.bias']!.set([0.5, -1, 2]);
    const tape = trace({ theta: f32(theta.length), x: f32(1, 1, 8, 8) }, ({ theta, x }) => ({
      ...model.forward(theta, x),
    }));
    const { features, output } = interpret(tape, { theta, x: numbers(1, 'x', 64) });
    const want = [0.5, 0, 2].flatMap((value) => [value, value, value, value]);
    expectNear(features!, want, { relative: 1e-12, absolute: 1e-12 });
    const head = parts['head.weight']!;
    expectNear(
      output!,
      [0, 1].map(
        (o) => parts['head.bias']![o]! + want.reduce((sum, value, i) => sum + value * head[o * 12 + i]!, 0),
      ),
      { relative: 1e-12, absolute: 1e-12 },
    );
  });

  it('does not see the brightness or contrast of a channel of an image without borders', () => {
    // Instance norm takes both out; the zeros of the padding would show them, so the window sees none.
    const model = convNet({ image: [1, 6, 6], depth: 1, width: 2, output: 2 });
    const parts = splitParameters(model.parameters, initialParameters(model.parameters, key));
    const centre = parts['conv0.weight']!.map((value, k) => (k % 9 === 4 ? value : 0));
    const theta = joinParameters(model.parameters, { ...parts, 'conv0.weight': centre });
    const tape = trace({ theta: f32(theta.length), x: f32(1, 1, 6, 6) }, ({ theta, x }) => ({
      ...model.forward(theta, x),
    }));
    const x = numbers(1, 'x', 36);
    const plain = interpret(tape, { theta, x }).output!;
    const changed = interpret(tape, { theta, x: Float64Array.from(x, (value) => 3 * value + 5) }).output!;
    expectNear(changed, plain, { relative: 1e-3, absolute: 1e-3 });
  });

  it('has a gradient by θ and images that central differences confirm', () => {
    const model = convNet({ image: [2, 7, 6], depth: 2, width: 3, output: 2 });
    const types = { theta: f32(model.parameters.total), x: f32(2, 2, 7, 6), y: f32(2, 2) };
    const tape = trace(types, ({ theta, x, y }) => {
      const value = mse(model.forward(theta, x).output, y);
      const [d_theta, d_x] = gradient(value, [theta, x]);
      return { value, d_theta: d_theta!, d_x: d_x! };
    });
    const inputs = {
      theta: initialParameters(model.parameters, key),
      x: numbers(1, 'x', 168),
      y: numbers(1, 'y', 4),
    };
    expectDerivatives(tape, inputs, ['theta', 'x']);
  });
});

describe('initialParameters', () => {
  const { parameters } = convNet({ image: [2, 9, 9], depth: 2, width: 7, output: 5 });
  const parts = splitParameters(parameters, initialParameters(parameters, key));

  it('starts norms at 1 and 0, and the rest uniform within ±1/√fan-in', () => {
    for (const { name, fanIn, start } of parameters.entries) {
      const values = [...parts[name]!];
      if (start === 'ones') expect(new Set(values)).toEqual(new Set([1]));
      else if (start === 'zeros') expect(new Set(values)).toEqual(new Set([0]));
      else {
        const bound = 1 / Math.sqrt(fanIn);
        expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(bound * (1 + 1e-6));
        expect(Math.max(...values.map(Math.abs))).toBeGreaterThan(0.3 * bound);
      }
    }
    expect(parameters.entries.find(({ name }) => name === 'conv1.bias')!.fanIn).toBe(7 * 9);
    expect(parameters.entries.find(({ name }) => name === 'head.bias')!.fanIn).toBe(7 * 2 * 2);
  });

  it('draws each tensor and each model from a stream of its own', () => {
    const other = splitParameters(parameters, initialParameters(parameters, { ...key, index: 1 }));
    expect(other['conv0.weight']).not.toEqual(parts['conv0.weight']);
    expect([...parts['conv0.weight']!.slice(0, 7)]).not.toEqual([...parts['conv0.bias']!]);
    expect(initialParameters(parameters, key)).toEqual(initialParameters(parameters, { ...key }));
  });
});
