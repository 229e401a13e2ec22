/** How all figures look: colours, type and sizes. */
import type { TopLevelSpec } from 'vega-lite';

/** Tones that read on a white and on a black page alike. */
export const SERIES = ['#3b82c4', '#d9730d', '#2f9e6e', '#b45fc2', '#c4483b', '#8a8a2f'];
export const FAINT = '#8a93a0';
/** As many tones as classes are told apart by. */
export const CLASS_COLOURS = [
  ...['#3b82c4', '#d9730d', '#2f9e6e', '#c4483b', '#b45fc2'],
  ...['#8b6b4e', '#e07fb0', '#7d8590', '#a3a024', '#2aa7b8'],
];

/** Tones for so many series; they come round again where there are more than tones. */
export const tonesFor = (series: readonly string[]): string[] =>
  series.length > SERIES.length ? CLASS_COLOURS : SERIES;

/** Width of a figure that stands beside another. */
export const WIDTH = 420;
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

/** Room to the left of an axis of names, cut to one length. */
export function namesWidth(names: Iterable<string>): number {
  const longest = Math.max(0, ...[...names].map(({ length }) => length));
  return Math.ceil(Math.min(longest, LONGEST_LABEL) * LETTER_WIDTH);
}

/** An axis of names, a line each. */
export const NAMES_AXIS = {
  // Vega's own limit guesses the width of a text, and guesses too much.
  labelLimit: 0,
  labelExpr: `truncate(datum.label, ${LONGEST_LABEL})`,
  ticks: false,
  domain: false,
  grid: true,
  tickBand: 'extent',
} as const;

/** What a legend has beside each name. */
const SYMBOL_WIDTH = 40;

/** A legend above a figure, and the room that it takes there: as many columns as the width lets names stand beside each other. */
export function legendAbove(names: readonly string[], width: number, title: string | null = null) {
  const free = width - (title === null ? 0 : namesWidth([title]) + 20);
  const columns = Math.max(1, Math.min(names.length, Math.floor(free / (namesWidth(names) + SYMBOL_WIDTH))));
  return {
    top: 14 + 20 * Math.ceil(names.length / columns),
    legend: {
      orient: 'top',
      title,
      titleOrient: 'left',
      offset: 8,
      columns,
      labelLimit: 0,
      labelExpr: NAMES_AXIS.labelExpr,
      // Some marks are faint.
      symbolOpacity: 1,
    },
  } as const;
}
