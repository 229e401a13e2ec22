/** The result of a benchmark as rows of plain data: comparisons with a peer, and figures of our own. */

/** What a row is about. */
export interface Subject {
  /** The suite's name: `kernels`, `step`, `hypergradient` or `pipeline`. */
  readonly suite: string;
  readonly case: string;
  /** The device that our side ran on. */
  readonly adapter: string;
}

/** One case beside one peer. Times are medians of milliseconds a run. */
export interface ComparisonRow extends Subject {
  readonly peer: string;
  readonly oursMs: number;
  /** Null for a peer that cannot do the work. */
  readonly peerMs: number | null;
  /** peerMs / oursMs: above 1, ours is faster. */
  readonly ratio: number | null;
  /** Why the peer has no time. */
  readonly why?: string;
  /** Median absolute deviations. */
  readonly oursSpreadMs: number;
  readonly peerSpreadMs?: number;
  /** ‖peer − ours‖ / ‖ours‖ of the numbers that both gave, the largest over the results. */
  readonly difference?: number;
}

/** One figure of our own. */
export interface MetricRow extends Subject {
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
}

export type Row = ComparisonRow | MetricRow;

export const isComparison = (row: Row): row is ComparisonRow => 'peer' in row;

/** A row that says why a peer has no figure. */
export function rowWithout(
  subject: Subject,
  peer: string,
  why: string,
  ours: { readonly medianMs: number; readonly spreadMs: number },
): ComparisonRow {
  return {
    ...subject,
    peer,
    oursMs: ours.medianMs,
    peerMs: null,
    ratio: null,
    why,
    oursSpreadMs: ours.spreadMs,
  };
}

/** Three significant digits, never in powers of ten. */
export function figure(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 12));
}

/** One row as one line for a terminal. */
export function rowText(row: Row): string {
  const head = `${row.suite} · ${row.case}`;
  if (!isComparison(row)) return `${head} · ${row.metric}: ${figure(row.value)} ${row.unit}`;
  const ours = `ours ${figure(row.oursMs)} ms`;
  return row.peerMs === null || row.ratio === null
    ? `${head} · ${row.peer}: ${ours}, the peer none: ${row.why}`
    : `${head} · ${row.peer}: ${ours}, the peer ${figure(row.peerMs)} ms, ratio ${figure(row.ratio)}`;
}
