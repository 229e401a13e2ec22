import { describe, expect, it } from 'vitest';
import { interpret } from '../../src/autograd/interpret.js';
import { relu } from '../../src/autograd/ops/elementwise.js';
import { linear } from '../../src/autograd/ops/matmul.js';
import { f32 } from '../../src/autograd/tape.js';
import { type Tensor, trace } from '../../src/autograd/trace.js';
import { convNet } from '../../src/nn/convNet.js';
import { barlowTwins } from '../../src/nn/losses.js';
import { initialParameters } from '../../src/nn/model.js';
import { ntXent } from '../../src/nn/ntXent.js';
import { unpack } from '../../src/nn/parameters.js';
import { lossOfViews, withProjector } from '../../src/nn/selfSupervised.js';
import { numbers } from '../support/compare.js';

const model = convNet({ image: [1, 6, 6], depth: 1, width: 3, output: 4 });
const views = { a: numbers(1, 'a', 5 * 36), b: numbers(1, 'b', 5 * 36) };
const types = { a: f32(5, 1, 6, 6), b: f32(5, 1, 6, 6) };
const key = { seed: 2, purpose: 'student', index: 0 };

describe('withProjector', () => {
  it("keeps the encoder's tensors where they are, with the values of the encoder alone", () => {
    const layout = withProjector(model, { projector: 6, projectorLayers: 2 });
    expect(layout.entries.slice(0, model.parameters.entries.length)).toEqual(model.parameters.entries);
    expect(layout.entries.slice(model.parameters.entries.length).map(({ shape }) => shape)).toEqual([
      [6, 4],
      [6],
      [6, 6],
      [6],
      [6, 6],
      [6],
    ]);
    expect(initialParameters(layout, key).subarray(0, model.parameters.total)).toEqual(
      initialParameters(model.parameters, key),
    );
  });
});

describe('lossOfViews', () => {
  const settings = { projector: 6, lambda: 0.02 };
  const layout = withProjector(model, settings);
  const theta = initialParameters(layout, key);
  const byHand = (loss: (z1: Tensor, z2: Tensor) => Tensor): number => {
    const tape = trace({ theta: f32(layout.total), ...types }, ({ theta, a, b }) => {
      const p = unpack(layout, theta);
      const z = (x: Tensor): Tensor => {
        const hidden = relu(
          linear(model.forward(theta, x).output, p['projector0.weight']!, p['projector0.bias']!),
        );
        return linear(hidden, p['projector1.weight']!, p['projector1.bias']!);
      };
      return { loss: loss(z(a), z(b)) };
    });
    return interpret(tape, { theta, ...views }).loss![0]!;
  };
  const found = (extra: Partial<Parameters<typeof lossOfViews>[1]>): number => {
    const tape = trace({ theta: f32(layout.total), ...types }, ({ theta, a, b }) => ({
      loss: lossOfViews(model, { ...settings, ...extra }, theta, [a, b]),
    }));
    return interpret(tape, { theta, ...views }).loss![0]!;
  };

  it('is Barlow Twins behind linear, ReLU, linear', () => {
    expect(found({})).toBe(byHand((z1, z2) => barlowTwins(z1, z2, { lambda: 0.02 })));
    expect(found({ standardise: false })).toBe(
      byHand((z1, z2) => barlowTwins(z1, z2, { lambda: 0.02, standardise: false })),
    );
  });

  it('is NT-Xent at its temperature for SimCLR', () => {
    expect(found({ method: 'simClr', temperature: 0.2 })).toBe(byHand((z1, z2) => ntXent(z1, z2, 0.2)));
  });
});
