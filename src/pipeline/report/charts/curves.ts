/** Figures of how training went. Values that are not finite are left out; where none is left, there is no figure. */
import { mean } from 'simple-statistics';
import type { TopLevelSpec } from 'vega-lite';
import type { DistilEvent, ExpertLoss, LossPoint } from '../types.js';
import { CONFIG, FAINT, legendAbove, SERIES, tonesFor, WIDTH } from './look.js';

const HEIGHT = 190;
/** Points that a curve has at most: a page cannot show more, and each takes room in it. */
const MOST_POINTS = 800;

/** The mean over a window centred on each value, shortened evenly at both ends. */
export function smooth(values: readonly number[], window: number): number[] {
  const sums = [0];
  for (const value of values) sums.push(sums.at(-1)! + value);
  return values.map((_, i) => {
    const reach = Math.min(Math.floor(window / 2), i, values.length - 1 - i);
    return (sums[i + reach + 1]! - sums[i - reach]!) / (2 * reach + 1);
  });
}

/** A value by its step. */
export interface CurvePoint {
  readonly step: number;
  readonly value: number;
}

/** Points of a curve, those of a run of steps taken for one where there are more than can be shown: the means of both. */
export function thinned(points: readonly CurvePoint[], most = MOST_POINTS): CurvePoint[] {
  const together = Math.ceil(points.length / most);
  if (together <= 1) return [...points];
  return Array.from({ length: Math.ceil(points.length / together) }, (_, k) => {
    const part = points.slice(k * together, (k + 1) * together);
    return { step: mean(part.map(({ step }) => step)), value: mean(part.map(({ value }) => value)) };
  });
}

const finite = (points: readonly CurvePoint[]): CurvePoint[] =>
  points.filter(({ value }) => Number.isFinite(value));

/**
 * The moving mean over a twentieth of the steps. At either end, where less than half of those are there, it is left out: it would
 * be as noisy as what it is a mean of.
 */
export function smoothed(points: readonly CurvePoint[]): CurvePoint[] {
  const window = points.length / 20;
  const values = smooth(
    points.map(({ value }) => value),
    window,
  );
  const missing = Math.floor(window / 4);
  return points.map(({ step }, k) => ({ step, value: values[k]! })).slice(missing, points.length - missing);
}

interface Frame {
  readonly description: string;
  /** What the axes measure. */
  readonly x: string;
  readonly y: string;
  readonly layer: readonly object[];
  /** Room above, such as for a legend. */
  readonly top?: number;
}

function frame({ description, x, y, layer, top = 10 }: Frame): TopLevelSpec {
  return {
    description,
    width: WIDTH - 70,
    height: HEIGHT,
    autosize: 'none',
    padding: { left: 58, right: 12, top, bottom: 44 },
    config: CONFIG,
    encoding: {
      x: {
        field: 'step',
        type: 'quantitative',
        title: x,
        scale: { zero: false, nice: false },
        axis: { tickCount: 6, grid: false },
      },
      y: { type: 'quantitative', title: y, scale: { zero: false }, axis: { tickCount: 5, titleX: -46 } },
    },
    layer,
  } as TopLevelSpec;
}

const line = (points: readonly CurvePoint[], colour: string, isThick: boolean) => ({
  data: { values: thinned(points) },
  mark: {
    type: 'line',
    color: colour,
    aria: false,
    strokeWidth: isThick ? 2.5 : 1,
    opacity: isThick ? 1 : 0.6,
  },
  encoding: { y: { field: 'value' } },
});

/** A loss at every step, faint, and its moving mean. */
function noisyLoss(description: string, x: string, y: string, points: readonly CurvePoint[], colour: string) {
  const shown = finite(points);
  if (shown.length === 0) return undefined;
  return frame({
    description,
    x,
    y,
    layer: [line(shown, FAINT, false), line(smoothed(shown), colour, true)],
  });
}

const lossesOf = (events: readonly DistilEvent[]): CurvePoint[] =>
  events.map(({ iteration, loss }) => ({ step: iteration, value: loss }));
const innerStepsOf = (events: readonly DistilEvent[]): CurvePoint[] =>
  events.map(({ iteration, innerStep }) => ({ step: iteration, value: innerStep }));

/** Equation (4) at every iteration, faint, and its moving mean over a twentieth of the iterations. */
export const lossChart = (events: readonly DistilEvent[]): TopLevelSpec | undefined =>
  noisyLoss(
    'Trajectory loss at every iteration, and its moving mean.',
    'Iteration',
    'Trajectory loss',
    lossesOf(events),
    SERIES[0]!,
  );

/** The learned inner step α at every iteration. */
export function innerStepChart(events: readonly DistilEvent[]): TopLevelSpec | undefined {
  const shown = finite(innerStepsOf(events));
  if (shown.length === 0) return undefined;
  return frame({
    description: 'The learned inner step at every iteration.',
    x: 'Iteration',
    y: 'Inner step α',
    layer: [line(shown, SERIES[1]!, true)],
  });
}

/** The self-supervised loss as the teacher's training told it. */
export const teacherChart = (points: readonly LossPoint[]): TopLevelSpec | undefined =>
  noisyLoss(
    "The teacher's self-supervised loss as it trained, and its moving mean.",
    'Step',
    'Self-supervised loss',
    points.map(({ step, loss }) => ({ step, value: loss })),
    SERIES[2]!,
  );

/** The loss of all experts after each epoch: the mean, and from the smallest to the largest. */
export function expertsChart(losses: readonly ExpertLoss[], what: string): TopLevelSpec | undefined {
  const byEpoch = new Map<number, number[]>();
  for (const { epoch, loss } of losses) {
    if (Number.isFinite(loss)) byEpoch.set(epoch, [...(byEpoch.get(epoch) ?? []), loss]);
  }
  if (byEpoch.size === 0) return undefined;
  const epochs = [...byEpoch].sort(([a], [b]) => a - b);
  const band = {
    data: {
      values: epochs.map(([step, each]) => ({ step, low: Math.min(...each), high: Math.max(...each) })),
    },
    mark: { type: 'area', color: SERIES[3], opacity: 0.25, aria: false },
    encoding: { y: { field: 'low' }, y2: { field: 'high' } },
  };
  const means = epochs.map(([step, each]) => ({ step, value: mean(each) }));
  return frame({
    description: `${what} of the experts after each epoch: the mean, and the range over the experts.`,
    x: 'Epoch',
    y: what,
    layer: [band, line(means, SERIES[3]!, true)],
  });
}

/** Curves of several runs over each other, a colour each; undefined where no value is finite. */
export function overlaidChart(
  measure: 'loss' | 'innerStep',
  runs: readonly { readonly name: string; readonly events: readonly DistilEvent[] }[],
): TopLevelSpec | undefined {
  const values = runs.flatMap(({ name, events }) => {
    const points = finite(measure === 'loss' ? lossesOf(events) : innerStepsOf(events));
    return thinned(measure === 'loss' ? smoothed(points) : points).map((point) => ({ ...point, run: name }));
  });
  if (values.length === 0) return undefined;
  const what = measure === 'loss' ? 'Trajectory loss' : 'Inner step α';
  const names = runs.map(({ name }) => name);
  const above = legendAbove(names, WIDTH - 70);
  return frame({
    description: `${what} of each run by iteration.`,
    x: 'Iteration',
    y: what,
    top: above.top,
    layer: [
      {
        data: { values },
        mark: { type: 'line', strokeWidth: 2, aria: false },
        encoding: {
          y: { field: 'value' },
          color: {
            field: 'run',
            type: 'nominal',
            sort: null,
            scale: { domain: names, range: tonesFor(names) },
            legend: above.legend,
          },
        },
      },
    ],
  });
}
