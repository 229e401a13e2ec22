/**
 * The report's figures: Vega-Lite specifications, rendered to static SVG. Values that are not finite are left
 * out; where none is left, there is no figure.
 */
import type { TopLevelSpec } from 'vega-lite';
import { importVega } from '../optionalImports.js';
import { escapeHtml } from './html.js';
import type { DistilEvent, ResultRow } from './types.js';
import { labelShare } from './wording.js';

/** Tones that read on a white and on a black page alike. */
export const SERIES = ['#3b82c4', '#d9730d', '#2f9e6e', '#b45fc2', '#c4483b', '#8a8a2f'];
export const FAINT = '#8a93a0';

const WIDTH = 420;
const CURVE_HEIGHT = 190;
const FONT_SIZE = 13;
/** The mean width of a letter in the page's font: the layout must not depend on the fonts of this machine. */
const LETTER_WIDTH = 0.56 * FONT_SIZE;
const LONGEST_LABEL = 22;

export const CONFIG: NonNullable<TopLevelSpec['config']> = {
  font: 'system-ui, sans-serif',
  background: 'transparent',
  view: { stroke: null },
  axis: {
    labelFontSize: FONT_SIZE,
    titleFontSize: FONT_SIZE,
    titleFontWeight: 'normal',
    labelColor: 'currentColor',
    titleColor: 'currentColor',
    domainColor: FAINT,
    tickColor: FAINT,
    gridColor: FAINT,
    gridOpacity: 0.3,
  },
  legend: {
    labelFontSize: FONT_SIZE,
    titleFontSize: FONT_SIZE,
    titleFontWeight: 'normal',
    labelColor: 'currentColor',
    titleColor: 'currentColor',
  },
};

/** Accuracy of every encoder as dots with error bars of one standard deviation, a colour per label share. */
export function resultsChart(rows: readonly ResultRow[]): TopLevelSpec | undefined {
  const finite = rows.filter((row) => Number.isFinite(row.mean) && Number.isFinite(row.deviation));
  if (finite.length === 0) return undefined;
  const values = finite.map((row) => ({
    name: row.name,
    share: labelShare(row.labels),
    mean: 100 * row.mean,
    low: 100 * (row.mean - row.deviation),
    high: 100 * (row.mean + row.deviation),
  }));
  const names = new Set(values.map((value) => value.name));
  const shares = [...new Set(finite.map((row) => row.labels))].sort((a, b) => a - b).map(labelShare);
  const longest = Math.max(0, ...[...names].map((name) => name.length));
  const labelWidth = Math.ceil(Math.min(longest, LONGEST_LABEL) * LETTER_WIDTH);
  return {
    description:
      'Test accuracy of a linear probe on each encoder, with one standard deviation to either side.',
    width: WIDTH - labelWidth - 20,
    height: Math.max(1, names.size) * (14 * shares.length + 14),
    autosize: 'none',
    padding: { left: labelWidth + 10, right: 10, top: 34, bottom: 44 },
    config: CONFIG,
    data: { values },
    encoding: {
      y: {
        field: 'name',
        type: 'nominal',
        sort: null,
        title: null,
        axis: {
          // Vega's own limit guesses the width of a text, and guesses too much.
          labelLimit: 0,
          labelExpr: `truncate(datum.label, ${LONGEST_LABEL})`,
          ticks: false,
          domain: false,
          grid: true,
          tickBand: 'extent',
        },
      },
      yOffset: { field: 'share', type: 'nominal', sort: null, scale: { domain: shares } },
      color: {
        field: 'share',
        type: 'nominal',
        scale: { domain: shares, range: SERIES },
        legend: { orient: 'top', title: 'Labels', titleOrient: 'left', offset: 8 },
      },
    },
    layer: [
      {
        mark: { type: 'rule', strokeWidth: 2 },
        encoding: {
          x: {
            field: 'low',
            type: 'quantitative',
            title: 'Test accuracy (%)',
            scale: { zero: false, nice: true, padding: 8 },
            axis: { tickCount: 6 },
          },
          x2: { field: 'high' },
        },
      },
      {
        mark: { type: 'point', filled: true, size: 36, opacity: 1 },
        encoding: { x: { field: 'mean', type: 'quantitative' } },
      },
    ],
  };
}

/** The mean over a window centred on each value, shortened evenly at both ends. */
export function smooth(values: readonly number[], window: number): number[] {
  const sums = [0];
  for (const value of values) sums.push(sums.at(-1)! + value);
  return values.map((_, i) => {
    const reach = Math.min(Math.floor(window / 2), i, values.length - 1 - i);
    return (sums[i + reach + 1]! - sums[i - reach]!) / (2 * reach + 1);
  });
}

function curve(
  description: string,
  title: string,
  values: object[],
  layer: object[],
): TopLevelSpec | undefined {
  if (values.length === 0) return undefined;
  return {
    description,
    width: WIDTH - 70,
    height: CURVE_HEIGHT,
    autosize: 'none',
    padding: { left: 58, right: 12, top: 10, bottom: 44 },
    config: CONFIG,
    data: { values },
    encoding: {
      x: {
        field: 'iteration',
        type: 'quantitative',
        title: 'Iteration',
        scale: { zero: false, nice: false },
        axis: { tickCount: 6, grid: false },
      },
      y: {
        type: 'quantitative',
        title,
        scale: { zero: false },
        axis: { tickCount: 5, titleX: -46 },
      },
    },
    layer,
  } as TopLevelSpec;
}

/** Equation (4) at every iteration, faint, and its moving mean over a twentieth of the iterations. */
export function lossChart(events: readonly DistilEvent[]): TopLevelSpec | undefined {
  const finite = events.filter((event) => Number.isFinite(event.loss));
  const smoothed = smooth(
    finite.map((event) => event.loss),
    finite.length / 20,
  );
  const values = finite.map(({ iteration, loss }, i) => ({ iteration, loss, smoothed: smoothed[i]! }));
  return curve('Trajectory loss at every iteration, and its moving mean.', 'Trajectory loss', values, [
    {
      mark: { type: 'line', strokeWidth: 1, color: FAINT, opacity: 0.6 },
      encoding: { y: { field: 'loss' } },
    },
    { mark: { type: 'line', strokeWidth: 2.5, color: SERIES[0] }, encoding: { y: { field: 'smoothed' } } },
  ]);
}

/** The learned inner step α at every iteration. */
export function innerStepChart(events: readonly DistilEvent[]): TopLevelSpec | undefined {
  const values = events
    .filter((event) => Number.isFinite(event.innerStep))
    .map(({ iteration, innerStep }) => ({ iteration, innerStep }));
  return curve('The learned inner step at every iteration.', 'Inner step α', values, [
    { mark: { type: 'line', strokeWidth: 2.5, color: SERIES[1] }, encoding: { y: { field: 'innerStep' } } },
  ]);
}

/** Renders a specification to an inline SVG element. Vega is loaded here, when a report is written. Throws `MissingPackageError`. */
export async function renderSvg(spec: TopLevelSpec): Promise<string> {
  const { vega, compile } = await importVega();
  const view = new vega.View(vega.parse(compile(spec).spec), { renderer: 'none', logLevel: vega.Error });
  try {
    const svg = await view.toSVG();
    // Inside HTML the element needs no namespaces, and without them the report names no address at all; its
    // size is the page's to choose.
    return svg.replace(/^<svg[^>]*>/, (root) =>
      root.replace(/ (xmlns|xmlns:xlink|width|height)="[^"]*"/g, '').replace(
        '<svg',
        // A function: in a text, `$&` would mean the match.
        () => `<svg role="img" aria-label="${escapeHtml(String(spec.description ?? ''))}"`,
      ),
    );
  } finally {
    view.finalize();
  }
}
