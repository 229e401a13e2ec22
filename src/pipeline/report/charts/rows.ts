/** Figures with a line for each row of an evaluation: accuracies, and differences of accuracies. */
import type { TopLevelSpec } from 'vega-lite';
import { labelShares } from '../../distinct.js';
import type { RowDifference } from '../../evaluate/differences.js';
import type { EvaluationTable } from '../../evaluate/record.js';
import { MKDT_ROW } from '../../evaluate/rowNames.js';
import type { ResultRow } from '../types.js';
import { labelShare } from '../wording.js';
import { CONFIG, FAINT, legendAbove, NAMES_AXIS, namesWidth, tonesFor, WIDTH } from './look.js';

/** A mean with a bar to either side, in per cent. */
export interface Bar {
  /** The line that it stands on. */
  readonly name: string;
  /** Its colour. */
  readonly series: string;
  readonly mean: number;
  /** Length of the bar to either side; none where it is null. */
  readonly deviation: number | null;
  /** What the mean is of, drawn as small ticks. */
  readonly single?: readonly number[];
}

export interface BarsChart {
  /** Read out in place of the figure. */
  readonly description: string;
  /** What the horizontal axis measures. */
  readonly measure: string;
  /** What the colours are; null where they say it themselves. */
  readonly legend: string | null;
  readonly bars: readonly Bar[];
  /** Colours in this order; those of `bars` by default, as they come. */
  readonly series?: readonly string[];
  /** Whether 0 is marked: on one side of it is better. */
  readonly marksZero?: boolean;
}

/** Dots with bars on lines of names; undefined where no mean is finite. */
export function barsChart(chart: BarsChart): TopLevelSpec | undefined {
  const { description, measure, legend, bars, marksZero = false } = chart;
  const finite = bars.filter(
    ({ mean, deviation }) => Number.isFinite(mean) && Number.isFinite(deviation ?? 0),
  );
  if (finite.length === 0) return undefined;
  const values = finite.map(({ deviation, ...bar }) => ({
    name: bar.name,
    series: bar.series,
    mean: bar.mean,
    low: bar.mean - (deviation ?? 0),
    high: bar.mean + (deviation ?? 0),
  }));
  const ticks = finite.flatMap(({ name, series, single = [] }) =>
    single.filter(Number.isFinite).map((value) => ({ name, series, value })),
  );
  const names = [...new Set(values.map(({ name }) => name))];
  const series = [...(chart.series ?? new Set(values.map((value) => value.series)))];
  const left = namesWidth(names) + 10;
  const above = legendAbove(series, WIDTH - left - 10, legend);
  const lines = {
    y: {
      field: 'name',
      type: 'nominal',
      sort: null,
      title: null,
      axis: {
        ...NAMES_AXIS,
        labelFontWeight: {
          condition: { test: `datum.value === '${MKDT_ROW}'`, value: 'bold' },
          value: 'normal',
        },
      },
      scale: { domain: names },
    },
    yOffset: { field: 'series', type: 'nominal', sort: null, scale: { domain: series } },
    color: {
      field: 'series',
      type: 'nominal',
      scale: { domain: series, range: tonesFor(series) },
      legend: above.legend,
    },
  } as const;
  const axis = {
    type: 'quantitative',
    title: measure,
    scale: { zero: marksZero, nice: true, padding: 8 },
    axis: { tickCount: 6 },
  } as const;
  const zero = {
    data: { values: [{ zero: 0 }] },
    mark: { type: 'rule', color: FAINT, strokeWidth: 1.5 },
    encoding: { x: { ...axis, field: 'zero' } },
  } as const;
  return {
    description,
    width: WIDTH - left - 10,
    height: Math.max(1, names.length) * (14 * series.length + 14),
    autosize: 'none',
    padding: { left, right: 10, top: above.top, bottom: 44 },
    config: CONFIG,
    layer: [
      ...(marksZero ? [zero] : []),
      {
        data: { values: ticks },
        mark: { type: 'tick', thickness: 1.5, size: 9, opacity: 0.45, aria: false },
        encoding: { ...lines, x: { ...axis, field: 'value' } },
      },
      {
        data: { values },
        mark: { type: 'rule', strokeWidth: 2 },
        encoding: { ...lines, x: { ...axis, field: 'low' }, x2: { field: 'high' } },
      },
      {
        data: { values },
        mark: { type: 'point', filled: true, size: 36, opacity: 1 },
        encoding: { ...lines, x: { ...axis, field: 'mean' } },
      },
    ],
  };
}

const shareOf = ({ labels }: { readonly labels: number }): string => labelShare(labels);
const sharesOf = (rows: readonly { readonly labels: number }[]): string[] =>
  labelShares(rows).map(labelShare);

/** Accuracy of every encoder with one standard deviation to either side, a colour per label share; each seed's as a small tick. */
export function resultsChart(
  rows: readonly ResultRow[],
  { rows: seeds }: Pick<EvaluationTable, 'rows'> = { rows: [] },
): TopLevelSpec | undefined {
  return barsChart({
    description:
      'Test accuracy of a linear probe on each encoder, with one standard deviation to either side.',
    measure: 'Test accuracy (%)',
    legend: 'Labels',
    series: sharesOf(rows),
    bars: rows.map((row) => ({
      name: row.name,
      series: shareOf(row),
      mean: 100 * row.mean,
      deviation: 100 * row.deviation,
      single: (
        seeds.find(({ name, labels }) => name === row.name && labels === row.labels)?.accuracies ?? []
      ).map((accuracy) => 100 * accuracy),
    })),
  });
}

/** How much better the distilled set is than every other row, with one deviation of the mean to either side. */
export function differencesChart(differences: readonly RowDifference[]): TopLevelSpec | undefined {
  return barsChart({
    description:
      'Accuracy of MKDT minus that of every other encoder, with one deviation of the mean to either side.',
    measure: 'MKDT better by (points)',
    legend: 'Labels',
    series: sharesOf(differences),
    marksZero: true,
    bars: differences.map((row) => ({
      name: `− ${row.against}`,
      series: shareOf(row),
      mean: 100 * row.mean,
      deviation: row.deviationOfMean === null ? null : 100 * row.deviationOfMean,
    })),
  });
}
