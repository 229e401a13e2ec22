/**
 * How much better one row of an evaluation is than another. Rows of one seed share the student's initialisation and the labelled
 * images, so that their differences vary less than either.
 */
import { mean, sampleStandardDeviation } from 'simple-statistics';
import { labelShares } from '../distinct.js';
import type { EvaluationTable } from './record.js';
import { BASELINE_ROWS, MKDT_ROW } from './rowNames.js';

/** The mean of paired differences. */
export interface Difference {
  readonly mean: number;
  /** Standard deviation of the mean, √(Σ(d − mean)² / (n − 1) / n); null for a single pair. */
  readonly deviationOfMean: number | null;
  /** Pairs: evaluation seeds for a run, runs for a group. */
  readonly n: number;
}

/** Numbers minus those in the same places. */
export const pairwise = (own: readonly number[], other: readonly number[]): number[] =>
  own.map((number, place) => number - other[place]!);

/** The mean of differences, and how far it can be trusted. */
export function meanDifference(values: readonly number[]): Difference {
  const n = values.length;
  const deviationOfMean = n < 2 ? null : sampleStandardDeviation([...values]) / Math.sqrt(n);
  return { mean: mean([...values]), deviationOfMean, n };
}

/** The accuracy of the distilled set minus that of another row. */
export interface RowDifference extends Difference {
  /** The other row's name. */
  readonly against: string;
  /** Share of the labels that the probes saw. */
  readonly labels: number;
}

/** Differences of accuracy, 0 to 1, between the distilled set and every other row at each share of labels, paired by seed. */
export function rowDifferences({ rows }: Pick<EvaluationTable, 'rows'>): RowDifference[] {
  return rows
    .filter(({ name }) => name !== MKDT_ROW)
    .flatMap(({ name: against, labels, accuracies }) => {
      const own = rows.find((row) => row.name === MKDT_ROW && row.labels === labels);
      if (own === undefined || own.accuracies.length !== accuracies.length) return [];
      return [{ against, labels, ...meanDifference(pairwise(own.accuracies, accuracies)) }];
    });
}

/** Of the rows that saw no more images than the distilled set holds, at each share of labels the difference to the best one. */
export function bestBaselines(table: Pick<EvaluationTable, 'rows'>): RowDifference[] {
  const all = rowDifferences(table).filter(({ against }) => BASELINE_ROWS.includes(against));
  const shares = labelShares(all);
  // All are against the same row: the best baseline is the one that it exceeds least.
  return shares.map((share) =>
    all
      .filter(({ labels }) => labels === share)
      .reduce((best, each) => (each.mean < best.mean ? each : best)),
  );
}

/** Deviations of the mean beyond which a difference counts as one. */
const CLEAR = 2;

/** Whether a difference is more than chance would make of none: 0 within two deviations of the mean; null where it has none. */
export function signOf({ mean, deviationOfMean }: Difference): -1 | 0 | 1 | null {
  if (deviationOfMean === null) return null;
  if (Math.abs(mean) <= CLEAR * deviationOfMean) return 0;
  return mean > 0 ? 1 : -1;
}
