import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { uploadRange } from '../../../src/autograd/compile/bufferRange.js';
import {
  compileOuterStep,
  keepPositive,
  type OuterOptimiser,
  ScalarDescent,
} from '../../../src/pipeline/stages/outerOptimiser.js';
import { useDevice } from '../../support/device.js';

const device = useDevice();
const settings: OuterOptimiser = { optimiser: 'sgd', learningRate: 0.1, momentum: 0.5, gradientClip: null };

/** θ and the norms after steps down the gradients in turn. */
async function descend(given: OuterOptimiser, start: number[], gradients: number[][]) {
  const opened = await device();
  const theta = uploadRange(opened, Float32Array.from(start), 'theta');
  const gradient = uploadRange(opened, Float32Array.from(start), 'gradient');
  const plan = await compileOuterStep(opened, 'outer', { theta, gradient }, given);
  const norms: number[] = [];
  try {
    for (const values of gradients) {
      opened.write(gradient.buffer, Float32Array.from(values));
      plan.submit();
      norms.push((await plan.read('norm'))[0]!);
    }
    return { theta: new Float32Array(await opened.read(theta.buffer, 0, theta.bytes)), norms };
  } finally {
    plan.release();
    for (const { buffer } of [theta, gradient]) opened.releaseBuffer(buffer);
  }
}

/** Adam as its paper writes it. */
function adamByHand(start: number, gradients: number[], learningRate: number): number {
  let [theta, first, second] = [start, 0, 0];
  for (const [k, g] of gradients.entries()) {
    first = 0.9 * first + 0.1 * g;
    second = 0.999 * second + 0.001 * g * g;
    const [m, v] = [first / (1 - 0.9 ** (k + 1)), second / (1 - 0.999 ** (k + 1))];
    theta -= (learningRate * m) / (Math.sqrt(v) + 1e-8);
  }
  return theta;
}

const gradients = [
  [3, 4, 0],
  [0, 0, 0],
  [-1, 2, 5],
];
const column = (index: number): number[] => gradients.map((row) => row[index]!);

describe('the outer descent on the device', () => {
  it('takes steps of SGD with momentum, and tells the norm of each gradient', async () => {
    const { theta, norms } = await descend(settings, [1, -1, 0.5], gradients);
    [1, -1, 0.5].forEach((start, i) => {
      let [value, velocity] = [start, 0];
      for (const g of column(i)) {
        velocity = 0.5 * velocity + g;
        value -= 0.1 * velocity;
      }
      expect(theta[i]).toBeCloseTo(value, 6);
    });
    // A device's square root is not exact.
    [5, 0, Math.sqrt(30)].forEach((norm, k) => {
      expect(norms[k]).toBeCloseTo(norm, 5);
    });
  });

  it('takes steps of Adam', async () => {
    const { theta } = await descend({ ...settings, optimiser: 'adam' }, [1, -1, 0.5], gradients);
    [1, -1, 0.5].forEach((start, i) => {
      expect(theta[i]).toBeCloseTo(adamByHand(start, column(i), 0.1), 5);
    });
  });

  it('scales a gradient that is too long down to the largest norm, and leaves a short one its bits', async () => {
    const plain = { ...settings, momentum: 0 };
    const clipped = await descend({ ...plain, gradientClip: 2.5 }, [0, 0], [[3, 4]]);
    expect(clipped.theta[0]).toBeCloseTo(-0.15, 6);
    expect(clipped.theta[1]).toBeCloseTo(-0.2, 6);
    expect(clipped.norms[0]).toBeCloseTo(5, 5);
    const short = [[0.3, 0.7]];
    expect((await descend({ ...plain, gradientClip: 2.5 }, [0.1, 0.2], short)).theta).toEqual(
      (await descend(plain, [0.1, 0.2], short)).theta,
    );
  });

  it('stands still on a gradient of zero, clipped or not', async () => {
    for (const optimiser of ['sgd', 'adam'] as const) {
      const { theta } = await descend({ ...settings, optimiser, gradientClip: 1 }, [0.25, -3], [[0, 0]]);
      expect([...theta]).toEqual([0.25, -3]);
    }
  });
});

describe('the descent of one number', () => {
  it('takes the same steps in float64', () => {
    const sgd = new ScalarDescent(settings);
    expect(sgd.next(0.1, -2)).toBe(0.1 - 0.1 * -2);
    expect(sgd.next(0.3, 1)).toBe(0.3 - 0.1 * (0.5 * -2 + 1));
    const adam = new ScalarDescent({ ...settings, optimiser: 'adam' });
    let value = 1;
    for (const g of [3, 0, -1]) value = adam.next(value, g);
    expect(value).toBeCloseTo(adamByHand(1, [3, 0, -1], 0.1), 12);
  });
});

describe('the inner step', () => {
  it('goes where it is to go, and stays positive however far that is', () => {
    expect(keepPositive(0.1, 0.12)).toBe(0.12);
    expect(keepPositive(0.1, 0.06)).toBe(0.06);
    expect(keepPositive(0.1, -1e7)).toBe(0.05);
  });

  it('is positive on every device after any gradients, or beyond what a float32 holds', () => {
    const smallestNormal = 2 ** -126;
    const gradients = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), {
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(
        gradients,
        fc.constantFrom('sgd' as const, 'adam' as const),
        fc.float({ min: Math.fround(1e-30), max: Math.fround(1e30), noNaN: true }),
        fc.double({ min: 1e-12, max: 1e12, noNaN: true }),
        (slopes, optimiser, start, learningRate) => {
          const descent = new ScalarDescent({ optimiser, learningRate, momentum: 0.9, gradientClip: null });
          let innerStep: number = start;
          for (const slope of slopes) {
            innerStep = Math.fround(keepPositive(innerStep, descent.next(innerStep, slope)));
            expect(innerStep).toBeGreaterThanOrEqual(smallestNormal);
            if (innerStep === Number.POSITIVE_INFINITY) break;
          }
        },
      ),
      { numRuns: 60 },
    );
    // Halved as often as there is to halve, it does not reach 0.
    let innerStep = 0.1;
    for (let k = 0; k < 300; k++) innerStep = Math.fround(keepPositive(innerStep, -1));
    expect(innerStep).toBe(smallestNormal);
  });
});
