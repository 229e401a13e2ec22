import { describe, expect, it } from 'vitest';
import {
  expertsChart,
  overlaidChart,
  smooth,
  smoothed,
  thinned,
} from '../../../../src/pipeline/report/charts/curves.js';
import { renderSvg } from '../../../../src/pipeline/report/charts/renderSvg.js';

describe('a moving mean', () => {
  it('leaves a line as it is, up to its ends', () => {
    const line = Array.from({ length: 30 }, (_, k) => 2 * k);
    for (const [k, value] of smooth(line, 7).entries()) expect(value).toBeCloseTo(line[k]!, 9);
  });

  it('takes out what goes up and down', () => {
    const values = Array.from({ length: 40 }, (_, k) => (k % 2 === 0 ? 1 : -1));
    for (const value of smooth(values, 20).slice(10, -10)) expect(Math.abs(value)).toBeLessThan(0.1);
  });
});

describe('a smoothed curve', () => {
  it('begins and ends where half of its window is there', () => {
    const points = Array.from({ length: 200 }, (_, step) => ({ step, value: step % 2 }));
    const steps = smoothed(points).map(({ step }) => step);
    expect([steps[0], steps.at(-1), steps.length]).toEqual([2, 197, 196]);
  });

  it('is whole where its window is one step', () => {
    const points = [1, 2, 3].map((step) => ({ step, value: step }));
    expect(smoothed(points)).toEqual(points);
  });
});

describe('a thinned curve', () => {
  it('is the curve itself where it has few points', () => {
    const points = [1, 2, 3].map((step) => ({ step, value: step ** 2 }));
    expect(thinned(points, 3)).toEqual(points);
  });

  it('has the means of neighbours elsewhere, the rest of them too', () => {
    const points = [1, 2, 3, 4, 5].map((step) => ({ step, value: 10 * step }));
    expect(thinned(points, 3)).toEqual([
      { step: 1.5, value: 15 },
      { step: 3.5, value: 35 },
      { step: 5, value: 50 },
    ]);
    expect(
      thinned(Array.from({ length: 9_999 }, (_, step) => ({ step, value: 1 }))).length,
    ).toBeLessThanOrEqual(800);
  });
});

describe('the figure of experts', () => {
  it('has their mean after each epoch, and their range', () => {
    const losses = [
      { expert: 0, epoch: 1, loss: 4 },
      { expert: 0, epoch: 2, loss: 2 },
      { expert: 1, epoch: 1, loss: 6 },
      { expert: 1, epoch: 2, loss: Number.NaN },
    ];
    const spec = expertsChart(losses, 'Loss') as unknown as { layer: { data: { values: unknown } }[] };
    expect(spec.layer.map(({ data }) => data.values)).toEqual([
      [
        { step: 1, low: 4, high: 6 },
        { step: 2, low: 2, high: 2 },
      ],
      [
        { step: 1, value: 5 },
        { step: 2, value: 2 },
      ],
    ]);
  });
});

describe('curves over each other', () => {
  const events = (from: number) =>
    [0, 1, 2].map((iteration) => ({ iteration, loss: from - iteration, innerStep: 1 }));

  it('have a line for each run, named in the legend', async () => {
    const runs = ['first', 'second'].map((name, k) => ({ name, events: events(3 + k) }));
    const svg = await renderSvg(overlaidChart('loss', runs)!);
    for (const { name } of runs) expect(svg).toContain(`>${name}</text>`);
    expect(svg).not.toMatch(/NaN|undefined/);
  });

  it('are none where nothing is finite', () => {
    const diverged = { name: 'diverged', events: [{ iteration: 0, loss: Number.NaN, innerStep: 1 }] };
    expect(overlaidChart('loss', [diverged])).toBeUndefined();
    expect(overlaidChart('innerStep', [diverged])).toBeDefined();
  });
});
