/** Where the time of runs went, as bars. */
import type { TopLevelSpec } from 'vega-lite';
import { duration } from '../wording.js';
import { CONFIG, legendAbove, NAMES_AXIS, namesWidth, SERIES, tonesFor, WIDTH } from './look.js';

const BAR_HEIGHT = 22;
/** Room for the text behind the longest bar. */
const TEXT_WIDTH = 92;

/** One bar: a stage of a run. */
export interface TimeBar {
  readonly name: string;
  readonly seconds: number;
}

/** A bar for each stage, the text behind it says how long; undefined where there is none. */
export function timeChart(bars: readonly TimeBar[]): TopLevelSpec | undefined {
  const values = bars
    .filter(({ seconds }) => Number.isFinite(seconds))
    .map((bar) => ({ ...bar, text: duration(bar.seconds) }));
  if (values.length === 0) return undefined;
  const names = [...new Set(values.map(({ name }) => name))];
  const left = namesWidth(names) + 10;
  const width = WIDTH - left - TEXT_WIDTH;
  return {
    description: 'Seconds of each stage.',
    width,
    height: BAR_HEIGHT * names.length,
    autosize: 'none',
    padding: { left, right: TEXT_WIDTH, top: 6, bottom: 6 },
    config: CONFIG,
    data: { values },
    encoding: {
      y: {
        field: 'name',
        type: 'nominal',
        sort: names,
        title: null,
        axis: { ...NAMES_AXIS, grid: false },
      },
      x: { field: 'seconds', type: 'quantitative', axis: null, scale: { zero: true, nice: false } },
    },
    layer: [
      { mark: { type: 'bar', height: BAR_HEIGHT - 8, color: SERIES[0]! } },
      {
        mark: { type: 'text', align: 'left', dx: 6, fontSize: 13, color: 'currentColor' },
        encoding: { text: { field: 'text' } },
      },
    ],
  };
}

/** A bar for each run, in parts by stage; undefined where no run was timed. */
export function stackedTimeChart(
  runs: readonly { readonly name: string; readonly seconds: Readonly<Record<string, number>> }[],
): TopLevelSpec | undefined {
  const stages = [...new Set(runs.flatMap(({ seconds }) => Object.keys(seconds)))];
  const values = runs.flatMap(({ name, seconds }) =>
    Object.entries(seconds)
      .filter(([, value]) => Number.isFinite(value))
      .map(([stage, value]) => ({ name, stage, minutes: value / 60, place: stages.indexOf(stage) })),
  );
  if (values.length === 0) return undefined;
  const names = runs.map(({ name }) => name);
  const left = namesWidth(names) + 10;
  const above = legendAbove(stages, WIDTH - left - 10);
  return {
    description: 'Minutes of each run, in parts by stage.',
    width: WIDTH - left - 10,
    height: (BAR_HEIGHT + 4) * names.length,
    autosize: 'none',
    padding: { left, right: 10, top: above.top, bottom: 44 },
    config: CONFIG,
    data: { values },
    mark: { type: 'bar', height: BAR_HEIGHT - 6 },
    encoding: {
      y: { field: 'name', type: 'nominal', sort: names, title: null, axis: { ...NAMES_AXIS, grid: false } },
      x: { field: 'minutes', type: 'quantitative', title: 'Minutes', axis: { tickCount: 6 } },
      order: { field: 'place', type: 'ordinal' },
      color: {
        field: 'stage',
        type: 'nominal',
        sort: null,
        scale: { domain: stages, range: tonesFor(stages) },
        legend: above.legend,
      },
    },
  };
}
