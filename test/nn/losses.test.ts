import { describe, expect, it } from 'vitest';
import { gradient } from '../../src/autograd/gradient.js';
import { interpret } from '../../src/autograd/interpret.js';
import { f32, i32 } from '../../src/autograd/tape.js';
import { type Tensor, trace } from '../../src/autograd/trace.js';
import { ShapeError } from '../../src/errors.js';
import {
  type BarlowTwinsOptions,
  barlowTwins,
  mse,
  softmaxCrossEntropy,
  standardiseColumns,
} from '../../src/nn/losses.js';
import { expectNear, numbers } from '../support/compare.js';
import { expectDerivatives } from '../support/derivatives.js';

const EXACT = { relative: 1e-12, absolute: 1e-13 };
const [B, D] = [7, 4];
const z1 = numbers(1, 'z1', B * D);
const z2 = numbers(1, 'z2', B * D);
const rows = Array.from({ length: B }, (_, b) => b);
const columns = Array.from({ length: D }, (_, i) => i);
const mean = (values: readonly number[]) => values.reduce((total, x) => total + x, 0) / values.length;

/** z with each column at mean 0 and biased variance 1 (plus 1e-5 under the root). */
function standardised(z: ArrayLike<number>): number[] {
  const statistics = columns.map((i) => {
    const column = rows.map((b) => z[b * D + i]!);
    const centre = mean(column);
    return { centre, deviation: Math.sqrt(mean(column.map((x) => (x - centre) ** 2)) + 1e-5) };
  });
  return Array.from(z, (x, place) => {
    const { centre, deviation } = statistics[place % D]!;
    return (x - centre) / deviation;
  });
}

/** Equations 1 and 2, written out. */
function barlowTwinsByHand(left: ArrayLike<number>, right: ArrayLike<number>, lambda: number): number {
  let loss = 0;
  for (const i of columns)
    for (const j of columns) {
      const f = mean(rows.map((b) => left[b * D + i]! * right[b * D + j]!));
      loss += i === j ? (1 - f) ** 2 : lambda * f ** 2;
    }
  return loss;
}

const barlowTwinsTape = (options: BarlowTwinsOptions) =>
  trace({ z1: f32(B, D), z2: f32(B, D) }, ({ z1, z2 }) => {
    const value = barlowTwins(z1, z2, options);
    const [d_z1, d_z2] = gradient(value, [z1, z2]);
    return { value, d_z1: d_z1!, d_z2: d_z2! };
  });

describe('barlowTwins', () => {
  it('is equations 1 and 2 as written when raw', () => {
    const tape = barlowTwinsTape({ lambda: 0.005, standardise: false });
    expectNear(interpret(tape, { z1, z2 }).value!, [barlowTwinsByHand(z1, z2, 0.005)], EXACT);
    expectDerivatives(tape, { z1, z2 }, ['z1', 'z2']);
  });

  it('standardises each feature over the batch by default', () => {
    const tape = barlowTwinsTape({ lambda: 0.01 });
    const want = barlowTwinsByHand(standardised(z1), standardised(z2), 0.01);
    expectNear(interpret(tape, { z1, z2 }).value!, [want], EXACT);
    expectDerivatives(tape, { z1, z2 }, ['z1', 'z2']);
  });

  it('does not change with the scale and centre of a feature when standardised', () => {
    const tape = barlowTwinsTape({ lambda: 0.01 });
    const moved = Float64Array.from(z1, (x, place) => 3 * x + (place % D));
    const [plain, changed] = [interpret(tape, { z1, z2 }), interpret(tape, { z1: moved, z2 })];
    expectNear(changed.value!, plain.value!, { relative: 1e-4, absolute: 0 });
  });
});

describe('standardiseColumns', () => {
  it('gives columns of mean 0 and variance 1', () => {
    const tape = trace({ z: f32(B, D) }, ({ z }) => ({ y: standardiseColumns(z) }));
    expectNear(interpret(tape, { z: z1 }).y!, standardised(z1), EXACT);
  });
});

describe('mse', () => {
  it('is the mean over batch and representation', () => {
    const tape = trace({ a: f32(B, D), b: f32(B, D) }, ({ a, b }) => ({ value: mse(a, b) }));
    const want = mean(Array.from(z1, (x, place) => (x - z2[place]!) ** 2));
    expectNear(interpret(tape, { a: z1, b: z2 }).value!, [want], EXACT);
  });
});

describe('softmaxCrossEntropy', () => {
  const labels = Int32Array.of(0, 3, 1, 1, 2, 0, 3);
  const tape = trace({ logits: f32(B, D), labels: i32(B) }, ({ logits, labels }) => {
    const value = softmaxCrossEntropy(logits, labels);
    return { value, d_logits: gradient(value, [logits])[0]! };
  });

  it('is −log of the label’s probability, averaged over the batch', () => {
    const want = mean(
      rows.map((b) => {
        const exponentials = columns.map((j) => Math.exp(z1[b * D + j]!));
        return -Math.log(exponentials[labels[b]!]! / exponentials.reduce((total, x) => total + x, 0));
      }),
    );
    expectNear(interpret(tape, { logits: z1, labels }).value!, [want], EXACT);
    expectDerivatives(tape, { logits: z1, labels }, ['logits']);
  });

  it('does not overflow for large logits', () => {
    const logits = Float64Array.from(z1, (x) => x + 1e5);
    const { value, d_logits } = interpret(tape, { logits, labels });
    const plain = interpret(tape, { logits: z1, labels });
    expectNear(value!, plain.value!, { relative: 1e-9, absolute: 0 });
    expectNear(d_logits!, plain.d_logits!, { relative: 1e-9, absolute: 1e-12 });
  });

  it('takes probabilities as targets, with a gradient by them too', () => {
    const types = { logits: f32(B, D), targets: f32(B, D) };
    const soft = trace(types, ({ logits, targets }) => {
      const value = softmaxCrossEntropy(logits, targets);
      const [d_logits, d_targets] = gradient(value, [logits, targets]) as [Tensor, Tensor];
      return { value, d_logits, d_targets };
    });
    const oneHot = Float64Array.from({ length: B * D }, (_, k) =>
      Number(labels[Math.floor(k / D)] === k % D),
    );
    const hard = interpret(tape, { logits: z1, labels });
    const got = interpret(soft, { logits: z1, targets: oneHot });
    expectNear(got.value!, hard.value!, EXACT);
    expectNear(got.d_logits!, hard.d_logits!, EXACT);
    const targets = numbers(3, 'targets', B * D, 'positive');
    expectDerivatives(soft, { logits: z1, targets }, ['logits', 'targets']);
  });

  it('refuses probabilities of other classes', () => {
    const wrong = () =>
      trace({ logits: f32(B, D), targets: f32(B, 1) }, ({ logits, targets }) => ({
        value: softmaxCrossEntropy(logits, targets),
      }));
    expect(wrong).toThrow(ShapeError);
    expect(wrong).toThrow(/logits \[7,4\].*probabilities \[7,1\]/);
  });

  it('refuses labels of another batch', () => {
    const wrong = () =>
      trace({ logits: f32(B, D), labels: i32(B + 1) }, ({ logits, labels }) => ({
        value: softmaxCrossEntropy(logits, labels),
      }));
    expect(wrong).toThrow(ShapeError);
    expect(wrong).toThrow(/logits \[7,4\].*labels \[8\]/);
  });
});
