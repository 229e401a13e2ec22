import { describe, expect, it } from 'vitest';
import { interpret } from '../../src/autograd/interpret.js';
import { augment } from '../../src/autograd/ops/augment.js';
import { relu } from '../../src/autograd/ops/elementwise.js';
import { linear } from '../../src/autograd/ops/matmul.js';
import { f32 } from '../../src/autograd/tape.js';
import { type Tensor, trace } from '../../src/autograd/trace.js';
import { convNet } from '../../src/nn/convNet.js';
import { barlowTwins } from '../../src/nn/losses.js';
import { initialParameters } from '../../src/nn/model.js';
import { ntXent } from '../../src/nn/ntXent.js';
import { unpack } from '../../src/nn/parameters.js';
import { withProjector } from '../../src/nn/selfSupervised.js';
import { drawPairs, type PairSettings, pairLoss, pairTypes } from '../../src/nn/viewPairs.js';
import { configSchema } from '../../src/pipeline/config/schema.js';
import { numbers } from '../support/compare.js';

const BATCH = 5;
const image = [1, 6, 6] as const;
const model = convNet({ image, depth: 1, width: 3, output: 4 });
const { augmentation } = configSchema.parse({}).teacher;
const settings: PairSettings = { projector: 6, lambda: 0.02, augmentation };
const key = { seed: 2, purpose: 'student', index: 0 };
const standardisation = { image, mean: [0.1], deviation: [0.3] };
const images = numbers(1, 'images', BATCH * 36);

describe('withProjector', () => {
  it("keeps the model's tensors where they are, with the values of the model alone", () => {
    const layout = withProjector(model, { ...settings, projectorLayers: 2 });
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

describe('pairLoss', () => {
  const layout = withProjector(model, settings);
  const types = { theta: f32(layout.total), images: f32(BATCH, ...image) };
  const given = {
    theta: initialParameters(layout, key),
    images,
    ...drawPairs(key, BATCH, standardisation, settings),
  };
  const evaluate = (record: (inputs: Record<string, Tensor>) => Tensor): number => {
    const tape = trace({ ...types, ...pairTypes(settings, image, BATCH) }, (inputs) => ({
      loss: record(inputs),
    }));
    return interpret(tape, given).loss![0]!;
  };
  const byHand = (loss: (z1: Tensor, z2: Tensor) => Tensor): number =>
    evaluate((inputs) => {
      const p = unpack(layout, inputs.theta!);
      const z = (side: string): Tensor => {
        const view = augment(inputs.images!, inputs[`view${side}`]!, inputs[`noise${side}`]!);
        const { output } = model.forward(inputs.theta!, view);
        const hidden = relu(linear(output, p['projector0.weight']!, p['projector0.bias']!));
        return linear(hidden, p['projector1.weight']!, p['projector1.bias']!);
      };
      return loss(z('A'), z('B'));
    });
  const found = (extra: Partial<PairSettings>): number =>
    evaluate((inputs) => pairLoss(model, { ...settings, ...extra }, inputs.theta!, inputs.images!, inputs));

  it('is Barlow Twins of two views behind linear, ReLU, linear', () => {
    expect(found({})).toBe(byHand((z1, z2) => barlowTwins(z1, z2, { lambda: 0.02 })));
    expect(found({ standardise: false })).toBe(
      byHand((z1, z2) => barlowTwins(z1, z2, { lambda: 0.02, standardise: false })),
    );
  });

  it('is NT-Xent at its temperature for SimCLR', () => {
    expect(found({ method: 'simClr', temperature: 0.2 })).toBe(byHand((z1, z2) => ntXent(z1, z2, 0.2)));
  });
});

describe('drawPairs', () => {
  it('gives the two sides different views and noise, and another key other ones', () => {
    const first = drawPairs(key, BATCH, standardisation, settings);
    expect(Object.keys(first).sort()).toEqual(Object.keys(pairTypes(settings, image, BATCH)).sort());
    expect(first.viewA).not.toEqual(first.viewB);
    expect(first.noiseA).not.toEqual(first.noiseB);
    expect(drawPairs(key, BATCH, standardisation, settings)).toEqual(first);
    expect(drawPairs({ ...key, index: 1 }, BATCH, standardisation, settings).viewA).not.toEqual(first.viewA);
  });
});
