/** Curves of a study: one figure of lines with points, in the report's colours. */
import type { TopLevelSpec } from 'vega-lite';
import { CONFIG, FAINT, SERIES } from '../report/charts/look.js';

/** A point of a curve; what has no number is left out. */
export interface LinePoint {
  readonly x: number;
  readonly y: number | null;
  /** Colour of the line. */
  readonly series: string;
  /** Dashes of the line; colour and dashes together name one. */
  readonly kind?: string;
}

export interface LineChart {
  readonly description: string;
  readonly x: string;
  readonly y: string;
  readonly points: readonly LinePoint[];
  readonly logX?: boolean;
  readonly logY?: boolean;
  /** A level to compare with, drawn faint. */
  readonly level?: number;
}

const WIDTH = 340;
const HEIGHT = 210;

/** Lines through all points that can be drawn (finite, and above 0 on a logarithmic axis); undefined where there is none. */
export function lineChart(chart: LineChart): TopLevelSpec | undefined {
  const { description, x, y, points, logX = false, logY = false, level } = chart;
  const fits = (value: number | null, isLog: boolean): boolean =>
    value !== null && Number.isFinite(value) && (!isLog || value > 0);
  const values = points.filter((point) => fits(point.x, logX) && fits(point.y, logY));
  if (values.length === 0) return undefined;
  const series = [...new Set(values.map((value) => value.series))];
  const kinds = [...new Set(values.flatMap(({ kind }) => (kind === undefined ? [] : [kind])))];
  const legend = { orient: 'bottom', title: null, columns: 2, labelLimit: 0 };
  const dashes = [
    [1, 0],
    [5, 4],
    [2, 3],
  ];
  const encoding = {
    x: {
      field: 'x',
      type: 'quantitative',
      title: x,
      scale: logX ? { type: 'log', base: 2, nice: false } : { zero: false, nice: false },
      axis: { grid: false, tickCount: 6, format: '~s' },
    },
    y: {
      field: 'y',
      type: 'quantitative',
      title: y,
      scale: logY ? { type: 'log' } : { zero: false },
      axis: { tickCount: 5, ...(logY ? { format: '~g', gridOpacity: 0.15 } : {}) },
    },
    color: { field: 'series', type: 'nominal', sort: null, scale: { domain: series, range: SERIES }, legend },
    ...(kinds.length < 2
      ? {}
      : {
          strokeDash: {
            field: 'kind',
            type: 'nominal',
            sort: null,
            scale: { domain: kinds, range: dashes },
            legend: { ...legend, symbolType: 'stroke', symbolSize: 300, symbolStrokeColor: FAINT },
          },
        }),
    detail: [{ field: 'kind', type: 'nominal' }],
  };
  return {
    description,
    width: WIDTH,
    height: HEIGHT,
    config: {
      ...CONFIG,
      legend: { ...CONFIG.legend, layout: { bottom: { direction: 'vertical', anchor: 'start' } } },
    },
    layer: [
      ...(level === undefined
        ? []
        : [
            {
              data: { values: [{ level }] },
              mark: { type: 'rule', color: FAINT, strokeDash: [3, 3] },
              encoding: { y: { field: 'level', type: 'quantitative' } },
            },
          ]),
      { data: { values }, mark: { type: 'line', strokeWidth: 2 }, encoding },
      {
        data: { values },
        mark: { type: 'point', filled: true, size: 30, opacity: 1 },
        encoding: { x: encoding.x, y: encoding.y, color: encoding.color },
      },
    ],
  } as unknown as TopLevelSpec;
}
