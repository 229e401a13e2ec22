import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { interpretUnroll } from '../../../src/autograd/unroll/interpretUnroll.js';
import type { Device } from '../../../src/gpu/device.js';
import { openDevice } from '../../../src/gpu/node/openDevice.js';
import {
  agreement,
  centralDifference,
  differenceError,
  relativeError,
} from '../../../src/pipeline/gradcheck/compare.js';
import { allAgree, type Gradcheck, gradcheck } from '../../../src/pipeline/gradcheck/gradcheck.js';
import { MEMORY_STEPS } from '../../../src/pipeline/gradcheck/modes.js';
import { compareGradients } from '../../../src/pipeline/gradcheck/precision.js';
import { checkProblem, START } from '../../../src/pipeline/gradcheck/problem.js';
import { fitSettings, optimiserNames, smallConfig } from '../../../src/pipeline/gradcheck/settings.js';

describe('gradcheck', () => {
  let device: Device;
  let found: Gradcheck;
  beforeAll(async () => {
    device = await openDevice();
    found = await gradcheck(device, fitSettings(smallConfig(), { steps: 2, optimiser: 'momentum' }));
  });
  afterAll(() => device.close());

  it('finds that everything agrees', () => {
    expect(found.agrees).toBe(true);
    expect(found.gradients.map(({ name }) => name)).toEqual([
      'images',
      'targets',
      'learningRate',
      'momentum',
      'weightDecay',
      START,
    ]);
  });

  it('shows that a gradient of a gradient is not zero, and that what is zero is refused', () => {
    expect(found.nested.norm).toBeGreaterThan(0);
    expect(found.nested.refusal).toMatch(/does not depend differentiably.*unconnected: 'zero'/);
  });

  it('compares the memory modes, of which mixed keeps some steps and float16 takes less, and memory by the number of steps', () => {
    expect(found.modes.map(({ mode }) => mode)).toEqual(['recompute', 'full', 'mixed', 'full']);
    const [recompute, full, mixed, half] = found.modes as [
      Gradcheck['modes'][0],
      Gradcheck['modes'][0],
      Gradcheck['modes'][0],
      Gradcheck['modes'][0],
    ];
    expect(recompute.keptSteps).toBe(0);
    expect(mixed.keptSteps).toBeGreaterThan(0);
    expect(mixed.keptSteps).toBeLessThan(full.keptSteps);
    expect(mixed.memory).toBeLessThanOrEqual(mixed.budget!);
    expect(half.storage).toBe('float16');
    expect(half.memory).toBeLessThan(full.memory);
    expect(half.difference.error).toBeGreaterThan(full.difference.error);
    expect(found.memory.rows.map(({ steps }) => steps)).toEqual([...MEMORY_STEPS]);
    const last = found.memory.rows.at(-1)!;
    expect(last.growth / last.storedGrowth).toBeCloseTo(1, 1);
  });

  it('gives a cosine for every truncation, the last of which is exact', () => {
    expect(found.truncation.cosines).toHaveLength(2);
    expect(found.truncation.cosines[1]).toBeCloseTo(1, 6);
    expect(found.truncation.adjointNorms).toHaveLength(3);
  });

  it('does not agree when one of its parts does not', () => {
    const wrong = agreement(1, 1e-4);
    const [first, ...rest] = found.gradients;
    expect(allAgree({ ...found, gradients: [{ ...first!, device: wrong }, ...rest] })).toBe(false);
    expect(allAgree({ ...found, gradients: [{ ...first!, norm: 0 }, ...rest] })).toBe(false);
    expect(allAgree({ ...found, nested: { ...found.nested, norm: 0 } })).toBe(false);
    expect(allAgree({ ...found, nested: { ...found.nested, refusal: '' } })).toBe(false);
    expect(allAgree({ ...found, memory: { ...found.memory, isWithinBudget: false } })).toBe(false);
    expect(allAgree(found)).toBe(true);
  });
});

describe('the comparison of gradients', () => {
  const problem = checkProblem(fitSettings(smallConfig(), { steps: 1, optimiser: 'sgd' }).settings);
  const exact = interpretUnroll(problem.description, problem.values);
  const float32 = Object.fromEntries(
    [...Object.entries(exact.gradients), [START, exact.adjointAtStart] as const].map(([name, values]) => [
      name,
      Float32Array.from(values),
    ]),
  );

  it('passes float64 rounded to float32, and finds one changed number on the device', () => {
    expect(compareGradients(problem, float32, exact).every(({ device }) => device.agrees)).toBe(true);
    const images = float32.images!.slice();
    images[3]! += 0.1;
    const changed = compareGradients(problem, { ...float32, images }, exact);
    expect(changed.filter(({ device }) => !device.agrees).map(({ name }) => name)).toEqual(['images']);
  });

  it('finds by differences a part that float64 itself leaves out', () => {
    const images = exact.gradients.images!.map((value, i) => (i % 2 === 0 ? value : 0));
    const compared = compareGradients(problem, float32, {
      ...exact,
      gradients: { ...exact.gradients, images },
    });
    expect(compared.find(({ name }) => name === 'images')!.differences.agrees).toBe(false);
    expect(compared.find(({ name }) => name === 'targets')!.differences.agrees).toBe(true);
  });
});

describe('the measures', () => {
  it('take a relative error of norms, and agree with nothing that is no number', () => {
    expect(relativeError([3, 4.5], [3, 4])).toBeCloseTo(0.1, 12);
    expect(relativeError([1], [1, 2])).toBe(Number.POSITIVE_INFINITY);
    expect(agreement(Number.NaN, 1).agrees).toBe(false);
  });

  it('differentiate by differences as well as rounding allows', () => {
    const f = (x: Float64Array) => Math.sin(x[0]!) * Math.exp(x[1]!);
    expect(centralDifference(f, [0.3, 0.2], [1, 0])).toBeCloseTo(Math.cos(0.3) * Math.exp(0.2), 8);
    const gradient = [Math.cos(0.3) * Math.exp(0.2), Math.sin(0.3) * Math.exp(0.2)];
    expect(differenceError(f, [0.3, 0.2], gradient, [[0.5, -1]])).toBeLessThan(1e-8);
    expect(differenceError(f, [0.3, 0.2], [gradient[0]!, 0], [[0.5, -1]])).toBeGreaterThan(0.1);
  });
});

describe('the settings', () => {
  it('have every optimiser’s own hyperparameters', () => {
    const namesOf = (optimiser: (typeof optimiserNames)[number]) =>
      checkProblem(fitSettings(smallConfig(), { steps: 1, optimiser }).settings).description.wrt.slice(2);
    expect(optimiserNames.map(namesOf)).toEqual([
      ['learningRate'],
      ['learningRate', 'momentum', 'weightDecay'],
      ['learningRate', 'momentum', 'weightDecay'],
      ['learningRate', 'weightDecay'],
    ]);
  });

  it('take the small student over, and say when fewer images are checked than asked for', () => {
    const { settings, asked } = fitSettings(smallConfig(['student.width=64', 'distil.batch=8']), {
      steps: 80,
      optimiser: 'sgd',
    });
    expect(settings.width).toBe(64);
    expect(settings.batch).toBeLessThan(asked.batch);
    expect(settings.batch).toBeGreaterThanOrEqual(1);
  });
});
