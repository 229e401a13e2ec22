import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gradient } from '../../src/autograd/gradient.js';
import { interpret } from '../../src/autograd/interpret.js';
import { f32 } from '../../src/autograd/tape.js';
import { trace } from '../../src/autograd/trace.js';
import { ShapeError } from '../../src/errors.js';
import { mse } from '../../src/nn/losses.js';
import { mlp } from '../../src/nn/mlp.js';
import { initialParameters } from '../../src/nn/model.js';
import { splitParameters } from '../../src/nn/parameters.js';
import { expectNear, numbers } from '../support/compare.js';
import { expectDerivatives } from '../support/derivatives.js';

const key = { seed: 1, purpose: 'student', index: 0 };
const extent = (max: number) => fc.integer({ min: 1, max });

describe('mlp', () => {
  it('is linear layers with ReLU between, and a head, at any size', () => {
    const sizes = fc.record({
      image: fc.tuple(extent(3), extent(4), extent(5)),
      depth: extent(3),
      width: extent(7),
      output: extent(5),
      batch: extent(4),
    });
    fc.assert(
      fc.property(sizes, ({ image, depth, width, output, batch }) => {
        const model = mlp({ image, depth, width, output });
        const theta = initialParameters(model.parameters, key);
        const inputs = image[0] * image[1] * image[2];
        const x = numbers(1, 'x', batch * inputs);
        const tape = trace({ theta: f32(theta.length), x: f32(batch, ...image) }, (given) => ({
          ...model.forward(given.theta, given.x),
        }));
        const p = splitParameters(model.parameters, theta);
        const layer = (rows: number[][], name: string): number[][] =>
          rows.map((row) =>
            Array.from(p[`${name}.bias`]!, (bias, unit) =>
              row.reduce((sum, value, k) => sum + value * p[`${name}.weight`]![unit * row.length + k]!, bias),
            ),
          );
        let rows = Array.from({ length: batch }, (_, k) => [...x.subarray(k * inputs, (k + 1) * inputs)]);
        for (let k = 0; k < depth; k++) {
          rows = layer(rows, `hidden${k}`).map((row) => row.map((value) => Math.max(0, value)));
        }
        const got = interpret(tape, { theta, x });
        const near = { relative: 1e-12, absolute: 1e-12 };
        expectNear(got.features!, rows.flat(), near);
        expectNear(got.output!, layer(rows, 'head').flat(), near);
        expect([model.featureCount, model.outputCount]).toEqual([width, output]);
      }),
      { seed: 1, numRuns: 25 },
    );
  });

  it('has a gradient by θ and images that central differences confirm', () => {
    const model = mlp({ image: [2, 3, 1], depth: 2, width: 5, output: 3 });
    const types = { theta: f32(model.parameters.total), x: f32(4, 2, 3, 1), y: f32(4, 3) };
    const tape = trace(types, ({ theta, x, y }) => {
      const value = mse(model.forward(theta, x).output, y);
      const [d_theta, d_x] = gradient(value, [theta, x]);
      return { value, d_theta: d_theta!, d_x: d_x! };
    });
    const inputs = {
      theta: initialParameters(model.parameters, key),
      x: numbers(1, 'x', 24),
      y: numbers(1, 'y', 12),
    };
    expectDerivatives(tape, inputs, ['theta', 'x']);
  });

  it.each([
    ['depth', { depth: 0, width: 4, output: 2 }],
    ['width', { depth: 1, width: 1.5, output: 2 }],
  ])('refuses a %s that is no whole number above 0', (name, sizes) => {
    const make = () => mlp({ image: [1, 2, 2], ...sizes });
    expect(make).toThrow(ShapeError);
    expect(make).toThrow(new RegExp(`mlp: the ${name} .* whole number ≥ 1`));
  });
});
