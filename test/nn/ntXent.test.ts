import { describe, expect, it } from 'vitest';
import { gradient } from '../../src/autograd/gradient.js';
import { interpret } from '../../src/autograd/interpret.js';
import { f32 } from '../../src/autograd/tape.js';
import { trace } from '../../src/autograd/trace.js';
import { ShapeError } from '../../src/errors.js';
import { ntXent } from '../../src/nn/ntXent.js';
import { expectNear, norm, numbers } from '../support/compare.js';
import { expectFirstDerivatives, expectSecondDerivatives } from '../support/derivatives.js';
import { useDevice } from '../support/device.js';
import { expectSameOnDevice } from '../support/onDevice.js';
import { floats, type OperationCase } from '../support/operations/case.js';

const openedDevice = useDevice();

/** Equation 1 of Chen et al. 2020, written out and averaged over the 2B anchors. */
function ntXentByHand(z1: ArrayLike<number>, z2: ArrayLike<number>, D: number, temperature: number): number {
  const B = z1.length / D;
  const rows = [z1, z2].flatMap((z) =>
    Array.from({ length: B }, (_, b) => Array.from(z).slice(b * D, (b + 1) * D)),
  );
  const units = rows.map((row) => row.map((value) => value / norm(row)));
  const similarity = (i: number, k: number): number =>
    units[i]!.reduce((sum, value, d) => sum + value * units[k]![d]!, 0) / temperature;
  const losses = units.map((_, i) => {
    const others = units.map((_, k) => (k === i ? 0 : Math.exp(similarity(i, k))));
    const partner = (i + B) % (2 * B);
    return -Math.log(others[partner]! / others.reduce((sum, value) => sum + value, 0));
  });
  return losses.reduce((sum, value) => sum + value, 0) / losses.length;
}

const caseOf = (B: number, D: number, temperature: number): OperationCase => ({
  inputs: { z1: floats(1, 'z1', [B, D]), z2: floats(1, 'z2', [B, D]) },
  build: ({ z1, z2 }) => ntXent(z1!, z2!, temperature),
  differentiable: ['z1', 'z2'],
});

const sizes = [
  [2, 2, 0.5],
  [5, 3, 0.5],
  [4, 7, 0.1],
  [9, 20, 1],
] as const;

const tapeOf = (B: number, D: number, temperature: number) =>
  trace({ z1: f32(B, D), z2: f32(B, D) }, ({ z1, z2 }) => {
    const loss = ntXent(z1, z2, temperature);
    const [d_z1, d_z2] = gradient(loss, [z1, z2]);
    return { loss, d_z1: d_z1!, d_z2: d_z2! };
  });

describe('ntXent', () => {
  it.each(sizes)('is the loss of SimCLR for %i images, %i features, temperature %f', (B, D, temperature) => {
    const { z1, z2 } = caseOf(B, D, temperature).inputs;
    const got = interpret(tapeOf(B, D, temperature), { z1: z1!.values, z2: z2!.values });
    const want = ntXentByHand(z1!.values, z2!.values, D, temperature);
    expectNear(got.loss!, [want], { relative: 1e-12, absolute: 1e-12 });
  });

  it.each(sizes)(
    'has the derivatives of differences for %i images, %i features, temperature %f',
    (...size) => {
      expectFirstDerivatives(caseOf(...size));
      expectSecondDerivatives(caseOf(...size));
    },
  );

  it.each([...sizes, [64, 32, 0.07] as const])(
    'gives on the device what its reference gives for %i images, %i features, temperature %f',
    async (...size) => {
      const operation = caseOf(...size);
      await expectSameOnDevice(await openedDevice(), operation);
      const build: OperationCase['build'] = (inputs) => gradient(operation.build(inputs), [inputs.z1!])[0]!;
      await expectSameOnDevice(await openedDevice(), { ...operation, build });
    },
  );

  it('is 0 for one image: its only other row is its partner', () => {
    const [z1, z2] = [numbers(1, 'z1', 5), numbers(1, 'z2', 5)];
    expect(interpret(tapeOf(1, 5, 0.5), { z1, z2 }).loss![0]).toBeCloseTo(0, 12);
  });

  it('does not change with the lengths of the rows', () => {
    const [z1, z2] = [numbers(1, 'z1', 12), numbers(1, 'z2', 12)];
    const longer = Float64Array.from(z1, (value, place) => value * (1 + Math.floor(place / 4)));
    const tape = tapeOf(3, 4, 0.5);
    expectNear(interpret(tape, { z1: longer, z2 }).loss!, interpret(tape, { z1, z2 }).loss!, {
      relative: 1e-12,
      absolute: 0,
    });
  });

  it('stays finite for a row of zeros and for a small temperature', () => {
    const z1 = numbers(1, 'z1', 12).fill(0, 0, 4);
    const { loss, d_z1 } = interpret(tapeOf(3, 4, 1e-3), { z1, z2: numbers(1, 'z2', 12) });
    expect(Number.isFinite(loss![0])).toBe(true);
    expect([...d_z1!].every(Number.isFinite)).toBe(true);
  });

  it.each([
    ['two shapes', [2, 3], [3, 3], 0.5, /z1 \[2,3\] and z2 \[3,3\] must be two matrices/],
    ['vectors', [3], [3], 0.5, /z1 \[3\] and z2 \[3\] must be two matrices/],
    ['a temperature of 0', [2, 3], [2, 3], 0, /temperature 0 must be a number above 0/],
  ] as const)('refuses %s', (_, left, right, temperature, message) => {
    const wrong = () =>
      trace({ z1: f32(...left), z2: f32(...right) }, ({ z1, z2 }) => ({ y: ntXent(z1, z2, temperature) }));
    expect(wrong).toThrow(ShapeError);
    expect(wrong).toThrow(message);
  });
});
